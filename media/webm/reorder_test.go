package webm

import (
	"testing"

	"landline/media/h264"
)

// The times of the first frames say whether frames are out of order, unless the SPS rules it out.
func TestReordersGoesByTheFirstTimes(t *testing.T) {
	may := []byte{0x67, 77, 0, 10, 0xf4, 0xf2} // Main, 16x16, nothing stated about the order
	mayNot := []byte{0x67, 66, 0, 10, 0xf4, 0xf2}
	const frames = 40
	for name, c := range map[string]struct {
		sps       []byte
		backwards int // the frame that comes before the one ahead of it
		want      bool
	}{
		"may, in order":               {may, frames, false},
		"may, at once":                {may, 1, true},
		"may, at the last looked at":  {may, reorderFrames - 1, true},
		"may, after the last of them": {may, reorderFrames, false},
		"may not, at once":            {mayNot, 1, false},
	} {
		config, err := h264.AVCC([][]byte{c.sps}, [][]byte{{0x68, 0xce, 0x0f, 0xc8}})
		if err != nil {
			t.Fatal(err)
		}
		var blocks []byte
		for i := range frames {
			at := 20 * (i + 1)
			if i == c.backwards {
				at -= 30
			}
			blocks = append(blocks, simple(1, int16(at), []byte{0, 0, 0, 2, 0x65, 0x88})...)
		}
		entry := entryOf(1, typeVideo, codecH264, master(idCodecPrivate, config))
		r, packets, err := readAll(t, file(entry, master(idCluster, number(idTimestamp, 0), blocks)))
		if err != nil || len(packets) != frames {
			t.Fatalf("%s: %d packets, %v", name, len(packets), err)
		}
		if f := r.Formats()[0]; f.Width != 16 || f.Reorders != c.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
