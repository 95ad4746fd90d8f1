// Package h264 turns H.264 (ITU-T H.264, ISO/IEC 14496-10) from one form into another: the
// length-prefixed samples of MP4 and Matroska into Annex B and back, and raw Annex B files into
// frames and back. It also reads what a sequence parameter set says.
//
// Within this project a frame is one access unit in Annex B: every NAL unit behind a 4-byte start
// code, access unit delimiters left out, and the parameter sets inline before every key frame. All
// functions that make frames give them this form.
//
// It is a leaf of media: it imports media and media/internal/bitio, starts no goroutine, and its types
// are for one caller at a time.
package h264
