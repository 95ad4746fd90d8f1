package h264_test

import (
	"path/filepath"
	"testing"

	"landline/media/internal/mediatest"
)

// encode makes a raw H.264 file of a test picture and gives its path.
func encode(t testing.TB, size, rate, seconds string, options ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.h264")
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=" + rate, "-t", seconds, "-c:v", "libx264", "-preset", "veryfast", "-threads", "1"}
	mediatest.FFmpeg(t, append(append(args, options...), path)...)
	return path
}

// framemd5 gives the hashes of ffmpeg's framemd5 format.
func framemd5(t testing.TB, path string, options ...string) []string {
	t.Helper()
	return mediatest.Sums(mediatest.FrameMD5(t, append([]string{"-i", path}, options...)...)[0])
}
