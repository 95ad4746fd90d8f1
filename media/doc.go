// Package media says what a frame is: formats, frames, and their form on the wire.
//
// It is pure. It starts no goroutine, opens no socket, writes no log, and is given the time
// wherever it needs one. Nothing here is safe for concurrent use unless its comment says so.
//
// Its folders are leaves: webm, ogg, ivf, mp4 and h264 turn containers into Frames and back. They
// import media; media imports none of them.
package media
