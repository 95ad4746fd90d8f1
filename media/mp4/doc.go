// Package mp4 reads MP4 and QuickTime files (ISO/IEC 14496-12, -14, -15), progressive and fragmented.
//
// Audio and video tracks are given, others (subtitles, time codes, metadata) are left out. H.264, AV1
// and Opus come in the form that package media asks for; every other codec comes as the file has it,
// under the name that ffmpeg uses, or that of its sample entry if it is not known here.
//
// Of a sample description the first entry is used, and of an edit list where the track starts: empty
// edits at its beginning and the media time of the first other one. What else an edit list asks for
// (cuts, repeats, speed) is not done. Rotation and the shape of pixels are not looked at.
//
// It is a leaf of media: it imports media and the bitstream leaves media/h264, media/av1 and media/vpx,
// starts no goroutine, and its types are for one caller at a time.
package mp4
