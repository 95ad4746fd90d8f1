package play

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay"
	"landline/relay/record"
)

func newDeck(s *shelf) (*relay.Relay, *Deck) {
	r := relay.New(relay.Options{MaxMembers: 10, MaxTracks: 8})
	return r, NewDeck(s, r, nil)
}

func play(t *testing.T, d *Deck, o Order) *Player {
	t.Helper()
	o.Room, o.Recording = "room", recording
	p, err := d.Play(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// of are the frames of one track.
func of(frames []frame, track string) (list []frame) {
	for _, f := range frames {
		if f.of == track {
			list = append(list, f)
		}
	}
	return list
}

func TestEverythingComesInItsTime(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann", "bob")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		began := time.Now()
		p := play(t, d, Order{By: "vera"})
		<-p.Done()
		synctest.Wait()
		v.leave()
		for track, f := range formats {
			for _, name := range []string{"ann", "bob"} {
				source := map[media.Kind]string{media.Audio: "mic", media.Video: "camera"}[f.Kind]
				got, i := of(v.frames, name+"/"+source), 0
				for _, sent := range packets {
					if sent.Track != track {
						continue
					}
					if i >= len(got) || !bytes.Equal(got[i].Data, sent.Data) || got[i].Key != sent.Key {
						t.Fatalf("%s's %s, frame %d of %d, is another", name, source, i, len(got))
					}
					due := time.Duration(sent.Timestamp) * time.Microsecond
					if late := got[i].at.Sub(began) - due; late < -time.Millisecond || late > 2*time.Millisecond {
						t.Fatalf("%s's %s, frame %d, comes %v too late", name, source, i, late)
					}
					if off := time.Duration(got[i].Timestamp-clockZero)*time.Microsecond - due; off < -time.Millisecond || off > time.Millisecond {
						t.Fatalf("%s's %s, frame %d, has a timestamp that is %v off", name, source, i, off)
					}
					i++
				}
				if i != len(got) {
					t.Errorf("%d frames of %s's %s, %d were recorded", len(got), name, source, i)
				}
			}
		}
		first, last := v.states[0], v.states[len(v.states)-1]
		if !first.Playing || first.Position != 0 || first.By != "vera" || len(first.Members) != 2 || first.Length < 3900*time.Millisecond {
			t.Errorf("at first the room is told %+v", first)
		}
		if !last.Over || last.Why != WhyEnded || len(v.left) != 2 {
			t.Errorf("in the end the room is told %+v, and that %d left", last, len(v.left))
		}
		if len(r.Snapshot()) != 0 || d.Playing() != 0 {
			t.Error("something is left")
		}
	})
}

// whole checks what every viewer may rely on, wherever people go in the recording.
func whole(t *testing.T, v *viewer) {
	t.Helper()
	last := map[string]frame{}
	for i, f := range v.frames {
		before, some := last[f.of]
		if some && (f.Timestamp < before.Timestamp || f.group < before.group || strings.HasSuffix(f.of, "camera") && f.group != before.group && !f.Key) {
			t.Fatalf("frame %d of %s: group %d at %d, key %v, behind group %d at %d", i, f.of, f.group, f.Timestamp, f.Key, before.group, before.Timestamp)
		}
		last[f.of] = f
	}
	for alias, a := range v.parts {
		if a.Gaps > 0 {
			t.Errorf("%d holes in %s", a.Gaps, v.names[alias])
		}
	}
}

func TestPauseAndGoOn(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{})
		yes, no := true, false
		time.Sleep(1010 * time.Millisecond)
		if err := p.Change(t.Context(), Change{Playing: &no}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		came := len(v.frames)
		time.Sleep(10 * time.Second)
		late := watch(t, r, "late")
		synctest.Wait()
		if n := len(v.frames); n != came || n < 70 {
			t.Errorf("%d frames before the pause, %d after it", came, n)
		}
		if at := p.State().Since(time.Now()); at != 1010*time.Millisecond {
			t.Errorf("it pauses at %v", at)
		}
		if n := len(of(late.frames, "ann/camera")); n == 0 {
			t.Error("who comes while it pauses sees nothing")
		}
		if err := p.Change(t.Context(), Change{Playing: &yes}); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		synctest.Wait()
		v.leave()
		late.leave()
		whole(t, v)
		if len(v.frames) != len(packets) {
			t.Errorf("%d frames came, %d were recorded", len(v.frames), len(packets))
		}
		if err := p.Change(t.Context(), Change{Playing: &yes}); !errors.Is(err, ErrNothing) {
			t.Errorf("one that has ended says %v", err)
		}
	})
}

// Twenty times somewhere else: the picture that comes is the key frame at or before that place, and everybody has it at once.
func TestSomewhereElse(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{Loop: true})
		random := rand.New(rand.NewPCG(1, 2))
		for n := range 20 {
			time.Sleep(time.Duration(random.IntN(900)) * time.Millisecond)
			to, playing := time.Duration(random.IntN(3900))*time.Millisecond, n%3 > 0
			synctest.Wait()
			came := len(v.frames)
			if err := p.Change(t.Context(), Change{Position: &to, Playing: &playing}); err != nil {
				t.Fatal(err)
			}
			asked := time.Now()
			time.Sleep(time.Millisecond)
			synctest.Wait()
			pictures := of(v.frames[came:], "ann/camera")
			want := keyBefore(formats, packets, to)
			if len(pictures) == 0 || !bytes.Equal(pictures[0].Data, want.Data) || pictures[0].at.Sub(asked) > time.Millisecond {
				t.Fatalf("%d: sent to %v, playing %v, the first of %d pictures is not the key frame before it", n, to, playing, len(pictures))
			}
			if state := p.State(); state.Position != time.Duration(want.Timestamp)*time.Microsecond || state.Playing != playing {
				t.Fatalf("%d: sent to %v it says %+v", n, to, state)
			}
		}
		p.Stop(WhyStopped)
		<-p.Done()
		synctest.Wait()
		v.leave()
		whole(t, v)
	})
}

func keyBefore(formats []media.Format, packets []media.Packet, to time.Duration) (key media.Packet) {
	for _, p := range packets {
		if p.Key && formats[p.Track].Kind == media.Video && p.Timestamp <= to.Microseconds() {
			key = p
		}
	}
	return key
}

func TestItBeginsAnew(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{Loop: true})
		time.Sleep(3 * p.State().Length)
		no := false
		if err := p.Change(t.Context(), Change{Loop: &no}); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		synctest.Wait()
		v.leave()
		whole(t, v)
		if len(v.frames) < 3*len(packets) || len(v.frames)%len(packets) != 0 {
			t.Errorf("%d frames came, %d were recorded", len(v.frames), len(packets))
		}
	})
}

// Another file has tracks of its own; those of the one before end.
func TestFileAfterFile(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	s.add(t, formats, packets, "ann", "bob")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{})
		if length := p.State().Length; length != 2*time.Duration(s.info.Files[0].DurationMs)*time.Millisecond {
			t.Errorf("a length of %v", length)
		}
		time.Sleep(p.State().Length - time.Second)
		back := time.Second
		if err := p.Change(t.Context(), Change{Position: &back}); err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		synctest.Wait()
		v.leave()
		if got := len(of(v.frames, "bob/mic")); got < len(packets)/2 {
			t.Errorf("%d frames of bob's sound", got)
		}
		for alias, a := range v.parts {
			if a.Gaps > 0 {
				t.Errorf("%d holes in %s", a.Gaps, v.names[alias])
			}
		}
	})
}

func TestNobodyIsThere(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		p := play(t, d, Order{Loop: true})
		time.Sleep(50 * time.Second)
		v := watch(t, r, "vera")
		time.Sleep(2 * time.Minute)
		v.leave()
		left := time.Now()
		<-p.Done()
		if after := time.Since(left); after < aloneTime || after > aloneTime+2*lookEvery || p.why != WhyAlone {
			t.Errorf("it ends %v after the last one left, for it is %s", after, p.why)
		}
		if rooms := r.Snapshot(); len(rooms) != 0 {
			t.Errorf("%+v is still there", rooms)
		}
	})
}

func TestOneAtATimeInARoom(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		first := play(t, d, Order{})
		time.Sleep(time.Second)
		second := play(t, d, Order{Position: 2 * time.Second})
		if d.Find("room") != second || first.State().Why != WhyReplaced || !d.Plays(recording) {
			t.Errorf("the first one says %+v", first.State())
		}
		if err := d.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Play(Order{Room: "room", Recording: recording}); !errors.Is(err, ErrClosed) || second.State().Why != WhyClosed {
			t.Errorf("a closed deck says %v, and its player %+v", err, second.State())
		}
		v.leave()
	})
}

func TestWhatCannotBePlayed(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		if _, err := d.Play(Order{Room: "room", Recording: "another"}); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("an unknown one: %v", err)
		}
		good := s.files[0]
		s.files[0] = []byte("nothing of this kind")
		if _, err := d.Play(Order{Room: "room", Recording: recording}); !errors.Is(err, media.ErrFormat) {
			t.Errorf("something else: %v", err)
		}
		bad := bytes.Clone(good)
		for i := len(bad) / 2; i < len(bad)*3/4; i++ {
			bad[i] = 0xFF
		}
		s.files[0] = bad
		p := play(t, d, Order{})
		<-p.Done()
		synctest.Wait()
		v.leave()
		if state := p.State(); state.Why != WhyFailed || len(v.frames) == 0 {
			t.Errorf("of one that is damaged in the middle %d frames came, and %+v", len(v.frames), state)
		}
		if len(r.Snapshot()) != 0 || d.Playing() != 0 {
			t.Error("something is left")
		}
		s.files, s.info.Files = nil, nil
		if _, err := d.Play(Order{Room: "room", Recording: recording}); !errors.Is(err, ErrNoFile) {
			t.Errorf("nothing: %v", err)
		}
	})
}
