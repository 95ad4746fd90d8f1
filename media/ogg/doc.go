// Package ogg reads and writes Ogg Opus files (RFC 3533, RFC 7845).
//
// A file may hold other tracks beside Opus: they are described by the name of their codec, and their
// packets are passed over. Of a chained file the first chain is read.
//
// It is a leaf of media: it imports media alone, starts no goroutine, and its types are for one
// caller at a time.
package ogg
