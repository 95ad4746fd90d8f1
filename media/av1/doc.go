// Package av1 walks the OBUs of an AV1 temporal unit and reads sequence headers, so that containers
// can name the codec and keep frames in the one form that the relay carries: low-overhead OBUs, each
// with its size field, no temporal delimiters, a sequence header in every key frame.
//
// It is a leaf of media: it imports media and media/internal/bitio, starts no goroutine and keeps no state.
// Sources: AV1 Bitstream & Decoding Process Specification (sections in the comments), AV1 Codec ISO Media
// File Format Binding (av1C).
package av1
