import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  // The page is served below a path that only the server knows.
  base: './',
  plugins: [react()],
  // What some of Perses' dependencies take for granted.
  define: { global: 'globalThis' },
  resolve: {
    // There is one of each, whatever a plugin brings along.
    dedupe: ['react', 'react-dom', '@emotion/react', '@emotion/styled', '@mui/material', '@tanstack/react-query', 'echarts'],
    // The system's own font does: Lato would be sixteen files more.
    alias: [{ find: /^@fontsource\/lato\/.*\.css$/, replacement: '/src/nofont.css' }],
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The server's policy allows no fonts or pictures from data addresses.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    reportCompressedSize: false,
    rollupOptions: {
      onLog(level, log, handler) {
        // mathjs has hundreds of them.
        if (log.code !== 'INVALID_ANNOTATION' && log.code !== 'MODULE_LEVEL_DIRECTIVE') handler(level, log);
      },
    },
  },
});
