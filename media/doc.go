// Package media says what a frame is: formats, frames, and their form on the wire.
//
// It is pure. It starts no goroutine, opens no socket, writes no log, and is given the time
// wherever it needs one. Nothing here is safe for concurrent use unless its comment says so.
//
// Below it are leaves, in two rows. They import media; media imports none of them.
//
//   - h264, av1 and vpx read bitstreams: what a frame says of itself. They import no other leaf. h264 also
//     has the Reader and Writer of raw .h264 files, which are that bitstream and nothing else.
//   - webm, mp4, ivf and ogg turn containers into Frames, and but for mp4 back. webm and mp4 import h264,
//     av1 and vpx, ivf imports av1 and vpx, ogg imports none.
//
// Containers may import bitstream leaves (h264, av1, vpx), never each other. internal/bitio reads bits for
// the bitstream leaves; internal/mediatest is what the tests share, and nothing but tests imports it.
package media
