package mp4_test

import (
	"testing"

	"landline/media/h264"
)

// The composition times say whether frames are out of order, unless the SPS rules it out.
func TestReordersGoesByTheTimes(t *testing.T) {
	may := []byte{0x67, 77, 0, 10, 0xf4, 0xf2} // Main, 16x16, nothing stated about the order
	mayNot := []byte{0x67, 66, 0, 10, 0xf4, 0xf2}
	inOrder, backwards := mk("ctts", be(0, 1, 4, 40)), mk("ctts", be(0, 3, 1, 40, 1, 80, 2, 0))
	oneSample := mk("stsz", be(0, 0, 1, 3))
	for name, c := range map[string]struct {
		sps    []byte
		change stbl
		want   bool
	}{
		"may, in order":      {may, stbl{"ctts": inOrder}, false},
		"may, no offsets":    {may, nil, false},
		"may, backwards":     {may, stbl{"ctts": backwards}, true},
		"may, one sample":    {may, stbl{"stsz": oneSample}, false},
		"may not, backwards": {mayNot, stbl{"ctts": backwards}, false},
	} {
		avcc, err := h264.AVCC([][]byte{c.sps}, [][]byte{{0x68, 0xce, 0x0f, 0xc8}})
		if err != nil {
			t.Fatal(err)
		}
		change := stbl{"stsd": mk("stsd", be(0, 1), mk("avc1", make([]byte, 78), mk("avcC", avcc)))}
		for kind, b := range c.change {
			change[kind] = b
		}
		if f := open(t, tiny(change)).Formats()[0]; f.Width != 16 || f.Reorders != c.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
