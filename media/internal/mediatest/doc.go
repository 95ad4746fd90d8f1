// Package mediatest is what the tests of media's leaves share: ffmpeg, which they measure themselves
// against, and reading and writing whole files. Only tests import it. It imports media, and no leaf.
package mediatest
