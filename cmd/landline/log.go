package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
)

// newLogger logs to w from the named level on: text for a person at a terminal, else one JSON object a line.
func newLogger(w io.Writer, level string) *slog.Logger {
	var least slog.Level
	// Kong has checked the name against the levels that slog knows.
	_ = least.UnmarshalText([]byte(level))
	options := &slog.HandlerOptions{Level: least}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

// isTerminal reports whether w is a character device, as a terminal is, or the screen made of one.
func isTerminal(w io.Writer) bool {
	if _, ok := w.(*screen); ok {
		return true
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// httpErrors takes the lines that http.Server logs. All but panics tell of what a peer did wrong, and a
// peer can do so as often as it likes: debug.
type httpErrors struct{ log *slog.Logger }

func (h httpErrors) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if strings.HasPrefix(text, "http: panic") {
		h.log.Error("http server", "error", text)
	} else {
		h.log.Debug("http server", "error", text)
	}
	return len(line), nil
}
