package play

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay"
	"landline/relay/record"
)

// one is the first packet of the clip of a kind, at a time.
func one(t *testing.T, kind media.Kind, at time.Duration) media.Packet {
	t.Helper()
	formats, packets := clip(t)
	for _, p := range packets {
		if formats[p.Track].Kind == kind {
			p.Timestamp = at.Microseconds()
			return p
		}
	}
	t.Fatal("there is none")
	return media.Packet{}
}

// A recording that is over at once is repeated once a second, and takes no new tracks for it: aliases are everybody's.
func TestAShortRecordingIsRepeatedInPeace(t *testing.T) {
	formats, _ := clip(t)
	s := &shelf{}
	still := one(t, media.Video, 0)
	still.Duration = 0
	s.add(t, formats, []media.Packet{still}, "ann")
	s.add(t, formats, []media.Packet{still}, "ann", "bob")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{Loop: true})
		time.Sleep(20*time.Second + 500*time.Millisecond)
		p.Stop(WhyStopped)
		<-p.Done()
		synctest.Wait()
		v.leave()
		if n := len(v.frames); n < 60 || n > 66 {
			t.Errorf("%d pictures in 20 s, where a pass has three", n)
		}
		if len(v.states) > 30 || p.made > 1+21 { // bob is in one of the files alone
			t.Errorf("the room is told %d times, and %d tracks were published", len(v.states), p.made)
		}
	})
}

// The clock of a track that appears late fits its first timestamp, of which 32 bits are sent.
func TestATrackThatAppearsLateHasTheRightTime(t *testing.T) {
	formats, _ := clip(t)
	s := &shelf{}
	var list []media.Packet
	sound := one(t, media.Audio, 0)
	for m := range 45 * 60 {
		sound.Timestamp = int64(m) * 1_000_000
		list = append(list, sound)
	}
	const appears = 40 * time.Minute
	list = append(list[:40*60+1], append([]media.Packet{one(t, media.Video, appears)}, list[40*60+1:]...)...)
	s.add(t, formats, list, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{})
		time.Sleep(appears + 30*time.Second)
		m, err := r.Join("room", relay.Identity{ID: "late", Name: "late"}, everything, func(bool) {})
		if err != nil {
			t.Fatal(err)
		}
		_, others := m.Roster()
		m.Leave("bye")
		tracks := 0
		for _, o := range others {
			for _, info := range o.Tracks {
				tracks++
				at := time.Duration(info.AtUs-clockZero) * time.Microsecond
				if at < appears || at > appears+31*time.Second || info.Clock.WallUs-p.start.UnixMicro() != info.Clock.Us-clockZero {
					t.Errorf("%s is at %v, its clock %+v", info.ID, at, info.Clock)
				}
			}
		}
		if tracks != 2 {
			t.Errorf("%d tracks", tracks)
		}
		p.Stop(WhyStopped)
		<-p.Done()
		synctest.Wait()
		v.leave()
	})
}

// What lies far behind in the file comes late, and holds nothing else up.
func TestTracksThatLieApartHoldNobodyUp(t *testing.T) {
	formats, _ := clip(t)
	s := &shelf{}
	var list []media.Packet
	const behind = 4 * time.Second
	sound, picture := one(t, media.Audio, 0), one(t, media.Video, 0)
	for at := time.Duration(0); at < 10*time.Second; at += 20 * time.Millisecond {
		sound.Timestamp, picture.Timestamp = at.Microseconds(), (at - behind).Microseconds()
		list = append(list, sound)
		if at >= behind {
			list = append(list, picture)
		}
	}
	s.add(t, formats, list, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		began := time.Now()
		p := play(t, d, Order{})
		<-p.Done()
		synctest.Wait()
		v.leave()
		if took := time.Since(began); took > 11*time.Second || len(v.frames) != len(list) {
			t.Errorf("ten seconds take %v, and %d of %d frames came", took, len(v.frames), len(list))
		}
	})
}

// No sound is lost to a pause at the beginning.
func TestWhatBeginsWithAPauseIsWhole(t *testing.T) {
	formats, packets := clip(t)
	var sound []media.Packet
	for _, p := range packets {
		if formats[p.Track].Kind == media.Audio {
			sound = append(sound, p)
		}
	}
	for what, list := range map[string][]media.Packet{"sound alone": sound, "sound and a picture": packets} {
		s := &shelf{}
		s.add(t, formats, list, "ann")
		synctest.Test(t, func(t *testing.T) {
			r, d := newDeck(s)
			v := watch(t, r, "vera")
			p := play(t, d, Order{Paused: true})
			time.Sleep(time.Second)
			synctest.Wait()
			shown := len(v.frames)
			yes := true
			if err := p.Change(t.Context(), Change{Playing: &yes}); err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			synctest.Wait()
			v.leave()
			whole(t, v)
			if len(v.frames) != len(list)+shown || shown > 1 {
				t.Errorf("%s: %d of %d frames, and %d while it paused", what, len(v.frames)-shown, len(list), shown)
			}
		})
	}
}

// While it pauses everybody is seen as they were there.
func TestAPauseShowsEverybody(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann", "bob")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{})
		for _, to := range []time.Duration{100 * time.Millisecond, 1900 * time.Millisecond, 3900 * time.Millisecond, 100 * time.Millisecond} {
			time.Sleep(time.Second)
			synctest.Wait()
			came, no := len(v.frames), false
			if err := p.Change(t.Context(), Change{Position: &to, Playing: &no}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			want := keyBefore(formats, packets, to)
			for _, who := range []string{"ann/camera", "bob/camera"} {
				if got := of(v.frames[came:], who); len(got) != 1 || string(got[0].Data) != string(want.Data) {
					t.Errorf("at %v %d pictures of %s came, not the one of there", to, len(got), who)
				}
			}
		}
		p.Stop(WhyStopped)
		<-p.Done()
		synctest.Wait()
		v.leave()
		whole(t, v)
	})
}

// Of a recording that was completed after a crash nobody knows who is in it.
func TestOneOfWhichNothingIsKnown(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	s.info.Files[0].Tracks, s.info.Files[0].DurationMs = nil, 0
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{})
		<-p.Done()
		synctest.Wait()
		v.leave()
		if members := p.State().Members; len(members) != 1 || v.people[members[0]] != "Recording" || len(v.people) != 1 || len(v.frames) != len(packets) {
			t.Errorf("members %v, people %v, %d frames", members, v.people, len(v.frames))
		}
	})
}

// half opens only the first file.
type half struct {
	*shelf
	fault func()
}

func (h *half) Media(id string, part int) (record.Content, string, time.Time, error) {
	if part > 0 {
		time.Sleep(25 * time.Millisecond)
		h.fault()
	}
	content, name, at, err := h.shelf.Media(id, part)
	if part > 0 {
		err = errors.New("gone")
	}
	return content, name, at, err
}

func TestAChangeThatFailsIsAnsweredAndEndsIt(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	s.add(t, formats, packets, "ann")
	for what, fault := range map[string]func(){"an error": func() {}, "a panic": func() { panic("fault") }} {
		synctest.Test(t, func(t *testing.T) {
			r := relay.New(relay.Options{})
			d := NewDeck(&half{s, fault}, r, nil)
			v := watch(t, r, "vera")
			p := play(t, d, Order{})
			time.Sleep(time.Second)
			to := 5 * time.Second
			if err := p.Change(t.Context(), Change{Position: &to}); err == nil {
				t.Errorf("%s: no error", what)
			}
			<-p.Done()
			synctest.Wait()
			v.leave()
			if state := p.State(); state.Why != WhyFailed || !state.Over || d.Playing() != 0 {
				t.Errorf("%s: %+v", what, state)
			}
		})
	}
}

func TestWhoIsHiddenIsSomebody(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		m, err := r.Join("room", relay.Identity{ID: "w", Name: "WHEP", Hidden: true}, everything, func(bool) {})
		if err != nil {
			t.Fatal(err)
		}
		p := play(t, d, Order{Loop: true})
		select {
		case <-p.Done():
			t.Errorf("it has ended: %s", p.why)
		case <-time.After(10 * time.Minute):
		}
		m.Leave("bye")
		<-p.Done()
		if p.why != WhyAlone {
			t.Error(p.why)
		}
	})
}

// Those for whom there was no place come when there is one.
func TestAFullRoom(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann", "bob")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s) // ten at most
		var people []*viewer
		for i := range 9 {
			people = append(people, watch(t, r, string(rune('a'+i))))
		}
		p := play(t, d, Order{Loop: true})
		time.Sleep(time.Second)
		if _, err := d.Play(Order{Room: "room", Recording: "another"}); !errors.Is(err, record.ErrNotFound) {
			t.Error(err)
		}
		people[0].leave()
		people[1].leave()
		time.Sleep(2 * againAfter)
		synctest.Wait()
		if n := len(people[5].frames); n < 100 {
			t.Errorf("%d frames have come", n)
		}
		p.Stop(WhyStopped)
		<-p.Done()
		for _, v := range people[2:] {
			v.leave()
		}
	})
}

// Nobody can offer an object to one who is only played.
func TestWhoIsPlayedTakesNoFiles(t *testing.T) {
	formats, packets := clip(t)
	s := &shelf{}
	s.add(t, formats, packets, "ann")
	synctest.Test(t, func(t *testing.T) {
		r, d := newDeck(s)
		v := watch(t, r, "vera")
		p := play(t, d, Order{Loop: true})
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := v.member.Offer(relay.Object{ID: "o", Name: "plan.pdf", Size: 10}, p.State().Members[0], 1); !errors.Is(err, relay.ErrNoSuchMember) {
			t.Errorf("an offer: %v", err)
		}
		p.Stop(WhyStopped)
		<-p.Done()
		synctest.Wait()
		v.leave()
	})
}

// A file of very small packets is not held whole in memory.
func TestTheReadAheadIsBounded(t *testing.T) {
	formats, _ := clip(t)
	s := &shelf{}
	tiny := one(t, media.Audio, 0)
	tiny.Data = tiny.Data[:1]
	list := make([]media.Packet, 50_000)
	for i := range list {
		list[i] = tiny
	}
	s.add(t, formats, list, "ann")
	tape, err := openTape(s, recording)
	if err != nil {
		t.Fatal(err)
	}
	defer tape.close()
	if _, err := tape.head(); err != nil || len(tape.queue) > aheadPackets {
		t.Errorf("%d packets wait, %v", len(tape.queue), err)
	}
}
