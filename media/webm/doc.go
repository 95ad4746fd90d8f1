// Package webm reads and writes WebM and Matroska: containers to Frames and back.
//
// Reader and Writer both work on a pipe. The Reader meets hostile files: it allocates for bytes that have
// arrived, never for bytes that a size field claims, it descends into a fixed set of elements and skips
// the rest. The Writer leaves a file that plays wherever it is cut off; given an io.WriteSeeker it adds
// duration, sizes and an index when it is closed.
//
// It is a leaf of media: it imports media and the bitstream leaves media/h264, media/av1 and media/vpx. It
// starts no goroutine; a Reader or Writer belongs to one goroutine at a time. Sources: RFC 8794 (EBML), RFC 9559 (Matroska), the WebM container guidelines, the Matroska codec
// specifications (CodecPrivate per codec).
package webm
