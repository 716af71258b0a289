package dashboards

import (
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// serveAsset serves a file that the page is made of. Its name changes with what is in
// it, so that it is fetched once. It is there compressed with gzip, as all browsers
// take it.
func (h *Handler) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	f, err := h.o.Page.Open("assets/" + name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	header.Set("Vary", "Accept-Encoding")
	var from io.Reader = f
	if takesGzip(r) {
		header.Set("Content-Encoding", "gzip")
		if info, err := f.Stat(); err == nil {
			header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
		}
	} else if from, err = gzip.NewReader(f); err != nil {
		http.Error(w, "the file can't be read", http.StatusInternalServerError)
		return
	}
	_, err = io.Copy(w, from)
	h.gone(err)
}

// takesGzip says whether a client takes gzip, as all do that say anything of it but
// that it has no quality at all.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, ok := strings.CutPrefix(strings.TrimSpace(quality), "q=")
			v, err := strconv.ParseFloat(q, 64)
			return !ok || err != nil || v > 0
		}
	}
	return false
}
