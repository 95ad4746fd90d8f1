package webm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"landline/media"
	"landline/media/internal/mediatest"
)

// memory is a file that can be cut off after any byte of what was written to it, in the order of writing.
type memory struct {
	data []byte
	left int // bytes that it still takes; -1: any number
}

var errCut = errors.New("cut off")

func (m *memory) WriteAt(b []byte, at int64) (int, error) {
	n := len(b)
	if m.left >= 0 {
		n = min(n, m.left)
		m.left -= n
	}
	if end := int(at) + n; end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	copy(m.data[at:], b[:n])
	if n < len(b) {
		return n, errCut
	}
	return n, nil
}

func (m *memory) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(m.data).ReadAt(b, at)
}

func (m *memory) Truncate(size int64) error {
	if size < 0 || size > int64(len(m.data)) {
		return fmt.Errorf("truncated to %d of %d bytes", size, len(m.data))
	}
	m.data = m.data[:size]
	return nil
}

// clip is the packets of the test clip, and its formats.
func clip(t testing.TB) ([]media.Format, []media.Packet) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(mediatest.ReadFile(t, "../../testdata/bunny-4s.webm")))
	if err != nil {
		t.Fatal(err)
	}
	return r.Formats(), mediatest.All(t, r)
}

// grow writes packets as they come, adding each track with its first, and more tracks on the way. It returns how many were given
// to the file before it failed.
func grow(m *memory, formats []media.Format, packets []media.Packet, copies int) (took int, err error) {
	g, err := NewGrowing(m, true)
	if err != nil {
		return 0, err
	}
	places := map[int]int{}
	for _, p := range packets {
		for c := range copies {
			if p.Timestamp < int64(c)*500_000 || places[p.Track] <= c && !p.Key {
				continue // the copy comes late
			}
			key := p.Track + c*len(formats)
			place, ok := places[key+1000]
			if !ok {
				if place, err = g.Add(formats[p.Track], fmt.Sprintf("copy %d", c), p.Frame); err != nil {
					return took, err
				}
				places[key+1000] = place
				places[p.Track] = c + 1
			}
			if err := g.Write(media.Packet{Track: place, Frame: p.Frame}); err != nil {
				return took, err
			}
			took++
		}
	}
	return took, g.Close()
}

func TestGrowingHasEveryPacketOfLateTracks(t *testing.T) {
	formats, packets := clip(t)
	m := &memory{left: -1}
	took, err := grow(m, formats, packets, 3)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(m.data))
	if err != nil {
		t.Fatal(err)
	}
	if got := mediatest.All(t, r); len(got) != took || len(r.Formats()) != 3*len(formats) {
		t.Fatalf("%d packets in %d tracks, want %d in %d", len(got), len(r.Formats()), took, 3*len(formats))
	}
	path := filepath.Join(t.TempDir(), "grown.webm")
	if err := os.WriteFile(path, m.data, 0o600); err != nil {
		t.Fatal(err)
	}
	mediatest.FFmpeg(t, "-i", path, "-map", "0", "-f", "null", "-")
	if again, err := Recover(m, int64(len(m.data))); err != nil || !again.Done || again.Tracks != 6 {
		t.Errorf("of a complete file Recover says %+v, %v", again, err)
	}
}

// Wherever a writer dies, at any byte of what it writes in whatever place, the file plays as it lies, and recovered it has all whole Clusters.
func TestGrowingCutOffAnywhere(t *testing.T) {
	formats, packets := clip(t)
	whole := &memory{left: -1}
	if _, err := grow(whole, formats, packets, 3); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(6, 0))
	for cut := 0; cut < len(whole.data); cut += 1 + rng.IntN(400) {
		m := &memory{left: cut}
		_, _ = grow(m, formats, packets, 3)
		m.left = -1
		before := playable(t, cut, m.data)
		got, err := Recover(m, int64(len(m.data)))
		if err != nil {
			if before > 60 { // more than one Cluster has
				t.Fatalf("cut after %d bytes: %v, and %d packets had been playable", cut, err, before)
			}
			continue
		}
		r, err := NewReader(bytes.NewReader(m.data))
		if err != nil {
			t.Fatalf("cut after %d bytes: %v", cut, err)
		}
		after := mediatest.All(t, r)
		if lost := before - len(after); lost < 0 || lost > 130 {
			t.Fatalf("cut after %d bytes: %d packets, %d before it was recovered", cut, len(after), before)
		}
		if got.Size != int64(len(m.data)) || len(after) == 0 {
			t.Fatalf("cut after %d bytes: %d packets, %+v of %d bytes", cut, len(after), got, len(m.data))
		}
	}
}

// playable counts the packets that a reader finds in a file that was cut off; the only complaint may be about its end.
func playable(t *testing.T, cut int, data []byte) int {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data))
	if err != nil {
		return 0 // the head is not there yet, or has no track
	}
	packets, err := mediatest.Drain(r)
	if err != nil && !errors.Is(err, media.ErrTruncated) {
		t.Fatalf("cut after %d bytes: %v", cut, err)
	}
	return len(packets)
}

func TestGrowingHeadFull(t *testing.T) {
	formats, packets := clip(t)
	g, err := NewGrowing(&memory{left: -1}, true)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for ; err == nil; i++ {
		_, err = g.Add(formats[0], "the longest name that anybody has in this room, and then some more of it, until it is cut off where it has to be", packets[0].Frame)
	}
	if !errors.Is(err, ErrHeadFull) || i != MaxTracks+1 {
		t.Errorf("%d tracks were added: %v", i-1, err)
	}
}

func TestGrowingNeedsParameters(t *testing.T) {
	g, err := NewGrowing(&memory{left: -1}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Add(media.Format{Kind: media.Video, Codec: media.H264}, "", media.Frame{Key: true, Data: []byte{0, 0, 0, 1, 0x65, 0x88}}); !errors.Is(err, media.ErrFormat) {
		t.Errorf("H.264 without parameter sets: %v", err)
	}
	if err := g.Write(media.Packet{Track: 0, Frame: media.Frame{Data: []byte{1}}}); !errors.Is(err, media.ErrFormat) {
		t.Errorf("a frame of no track: %v", err)
	}
}

func TestRecoverOfWhatIsNone(t *testing.T) {
	formats, packets := clip(t)
	var other bytes.Buffer
	w, err := NewWriter(struct{ io.Writer }{&other}, formats)
	mediatest.Save(t, w, err, packets)
	for what, data := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "a file of another writer": other.Bytes()} {
		m := &memory{data: bytes.Clone(data), left: -1}
		if _, err := Recover(m, int64(len(data))); !errors.Is(err, media.ErrFormat) || !bytes.Equal(m.data, data) {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := &memory{left: -1}
	if _, err := NewGrowing(m, true); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(m, int64(len(m.data))); !errors.Is(err, ErrNothing) {
		t.Errorf("a head alone: %v", err)
	}
}

// FuzzRecover recovers anything. What it takes for recovered is read again.
func FuzzRecover(f *testing.F) {
	formats, packets := clip(f)
	m := &memory{left: -1}
	_, _ = grow(m, formats, packets[:40], 2)
	f.Add(m.data)
	f.Add(m.data[:len(m.data)*2/3])
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &memory{data: bytes.Clone(b), left: -1}
		var got Recovered
		var err error
		used := allocated(func() { got, err = Recover(m, int64(len(b))) })
		if limit := uint64(16<<20 + 64*len(b)); used > limit {
			t.Fatalf("Recover allocates %d bytes for a file of %d", used, len(b))
		}
		if err != nil {
			return
		}
		if got.Size != int64(len(m.data)) && !got.Done {
			t.Fatalf("%+v, and the file has %d bytes", got, len(m.data))
		}
		again, err := Recover(m, int64(len(m.data)))
		if err != nil || !again.Done {
			t.Fatalf("recovered once more: %+v, %v", again, err)
		}
	})
}
