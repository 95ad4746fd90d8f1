// Package web holds the built browser app, so that one binary serves everything.
//
// The app is built by "make build" into dist/app. A binary that was built without it still relays
// calls; App then says that there is nothing to serve.
package web

import (
	"embed"
	"errors"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that this binary was compiled before the browser app was built.
var ErrNotBuilt = errors.New("the browser app was not built into this binary: run make build")

// App returns the files of the built browser app, with index.html at its root.
func App() (fs.FS, error) {
	if _, err := fs.Stat(dist, "dist/app/index.html"); err != nil {
		return nil, ErrNotBuilt
	}
	return fs.Sub(dist, "dist/app")
}
