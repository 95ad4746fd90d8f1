package record

import (
	"slices"
	"testing"
	"time"

	"landline/media"
	"landline/relay"
)

// What comes all at once, after the disk stood still, is not held as a whole until there is a moment to look at the time.
func TestWhatIsHeldIsBounded(t *testing.T) {
	w := newWorld(t, Options{})
	formats, packets := clip(t)
	camera := slices.IndexFunc(formats, func(f media.Format) bool { return f.Kind == media.Video })
	first := slices.IndexFunc(packets, func(p media.Packet) bool { return p.Track == camera && p.Key })
	data := append(slices.Clone(packets[first].Data), make([]byte, 1<<20)...)
	r := newRecorder(w.store, newID("room"), Order{Room: "room"})
	track := &track{member: "ann", info: relay.TrackInfo{Offer: relay.Offer{Format: formats[camera]}}}
	for n := range 2 * holdBytes / len(data) {
		track.headAt = time.Duration(n) * time.Millisecond
		r.frame(track, media.ChunkHeader{Key: true, Group: uint32(n + 1), Timestamp: uint32(n * 1000)}, data)
		if r.bytes > holdBytes {
			t.Fatalf("%d bytes are held", r.bytes)
		}
	}
	r.closePart()
	if i := r.Info(); len(i.Files) != 1 || i.Files[0].Bytes < 2*holdBytes-1<<20 || i.Dropped != 0 {
		t.Errorf("%+v", i)
	}
}
