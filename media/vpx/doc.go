// Package vpx reads the headers of VP8 and VP9 frames, so that containers can tell key frames, name the
// codec and know the picture's size and colours. It looks at the first 12 bytes of a frame, never further.
//
// It is a leaf of media: it imports media and media/internal/bitio, starts no goroutine and keeps no state.
// Sources: RFC 6386 (VP8), VP9 Bitstream & Decoding Process Specification, VP Codec ISO Media File Format
// Binding (codec strings).
package vpx
