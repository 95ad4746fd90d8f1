// Package ivf reads and writes IVF files: one VP8, VP9 or AV1 track, as libvpx, libaom and ffmpeg
// make them.
//
// Frames have the form that package media asks for: AV1 temporal units lose their temporal delimiters
// when read and get them back when written, and AV1 key frames carry their sequence header. What is a
// key frame the payload says, for IVF does not.
//
// It is a leaf of media: it imports media and the bitstream leaves media/av1 and media/vpx, starts no
// goroutine, and its types are for one caller at a time.
package ivf
