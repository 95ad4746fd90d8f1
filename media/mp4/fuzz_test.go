package mp4_test

import (
	"bytes"
	"testing"

	"landline/media"
	"landline/media/h264"
	"landline/media/mp4"
)

// fragmented makes a file of one track and one moof with the samples that tiny has.
func fragmented() []byte {
	moof := func(offset uint32) []byte {
		tfhd := mk("tfhd", be(0x20000, 1))
		trun := mk("trun", be(0x701, 4, offset, 40, 3, 0, 40, 3, 0x10000, 40, 3, 0x10000, 40, 3, 0x10000))
		return mk("moof", mk("mfhd", be(0, 1)), mk("traf", tfhd, mk("tfdt", be(0, 1000)), trun))
	}
	tail := append(moof(uint32(len(moof(0))+8)), mk("mdat", []byte("eeefffggghhh"))...)
	return tiny(stbl{"mvex": mk("mvex", mk("trex", be(0, 1, 1, 40, 3, 0))), "tail": tail})
}

// The samples of the index come first, then those of the fragments.
func TestFragmentAfterIndex(t *testing.T) {
	letters, times, _ := result(fragmented())
	if letters != "abcdefgh" || times[4] != 1_000_000 || times[7] != 1_120_000 {
		t.Errorf("%q at %d", letters, times)
	}
}

// Whatever the file says, a Reader gives no packet that is empty, too large, or of no track.
func FuzzReader(f *testing.F) {
	sps := []byte{0x67, 0x42, 0xc0, 0x0a, 0xda, 0x18, 0x9b, 0x01, 0x10, 0, 0, 3, 0, 0x10, 0, 0, 3, 3, 0x20, 0xf1, 0x22, 0x6a}
	avcc, err := h264.AVCC([][]byte{sps}, [][]byte{{0x68, 0xce, 0x0f, 0xc8}})
	if err != nil {
		f.Fatal(err)
	}
	entry := func(kind string, before int, boxes ...[]byte) stbl {
		return stbl{"stsd": mk("stsd", be(0, 1), mk(kind, make([]byte, before), bytes.Join(boxes, nil)))}
	}
	f.Add(tiny(nil))
	f.Add(fragmented())
	f.Add(tiny(stbl{"ctts": mk("ctts", be(0, 1, 4, 40)), "edts": mk("edts", mk("elst", be(0, 1, 80, 80, 1<<16)))}))
	f.Add(tiny(entry("avc1", 78, mk("avcC", avcc), mk("colr", []byte("nclx"), be(0x10001, 0x18000)))))
	audio := entry("Opus", 28, mk("dOps", []byte{0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0}))
	audio["hdlr"] = mk("hdlr", be(0, 0), []byte("soun"))
	f.Add(tiny(audio))
	esds := entry("mp4a", 28, mk("esds", be(0), []byte{3, 0x80, 0x80, 0x80, 25, 0, 1, 0, 4, 17, 0x40, 0x15}))
	esds["hdlr"] = audio["hdlr"]
	f.Add(tiny(esds))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := mp4.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		formats := r.Formats()
		for range 100_000 {
			p, err := r.Next()
			if err != nil {
				return
			}
			if p.Track >= len(formats) || len(p.Data) == 0 || len(p.Data) > media.MaxFrameSize {
				t.Fatalf("packet of track %d with %d bytes", p.Track, len(p.Data))
			}
			if !p.Key && formats[p.Track].Kind == media.Audio {
				t.Fatal("audio that is no key frame")
			}
		}
	})
}
