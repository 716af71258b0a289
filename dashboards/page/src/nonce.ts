// The server's policy allows the styles of who knows the nonce of the answer: Emotion
// is given it, goober, which notistack brings along, looks for it here. It has to be
// there before either is loaded.
declare global {
  interface Window {
    __nonce__?: string;
  }
}

export const nonce = document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content;
window.__nonce__ = nonce;
