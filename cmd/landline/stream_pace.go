package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"landline/media"
	"landline/signaling"
	"landline/signaling/client"
)

// uplinkAhead is how many bytes may wait in the uplink before the file is held back, and roomWait until when: so long
// after a packet was due, it is written whatever waits, and the uplink drops by its rules. Both are well within the
// uplink's own bounds, so that a burst in the file is no reason to drop. uplinkAge is how long a packet may wait there: longer
// than in a call, since nobody answers a file, and a machine that was busy for a moment shall not cost a picture.
const (
	uplinkAhead = 512 << 10
	roomWait    = time.Second
	uplinkAge   = 2 * time.Second
)

// send publishes the source, pass after pass with --loop.
func (p *pacer) send(ctx context.Context) error {
	for {
		err := p.pass(ctx)
		var bad clipError
		if errors.As(err, &bad) && p.clips.several() {
			p.clips.skip(err)
			err = nil
		}
		if err != nil || p.over() {
			return err
		}
		next, err := p.clips.next(ctx)
		if next == nil {
			return err
		}
		if p.rounds < p.clips.rounds {
			if p.ends <= p.roundStart {
				next.Close()
				return fmt.Errorf("%s cannot be looped: it has no length", p.clips.open.name())
			}
			p.rounds, p.roundStart = p.clips.rounds, p.ends
		}
		if err := p.goOn(ctx, next); err != nil {
			return err
		}
	}
}

// goOn goes on with the next source. What is of another form than before is published as tracks of its own.
func (p *pacer) goOn(ctx context.Context, next *source) error {
	p.src.Close()
	last := p.src.offers()
	p.src = next
	if offers := next.offers(); !reflect.DeepEqual(last, offers) {
		p.endTracks()
		p.forms++
		for i := range offers {
			offers[i].ID = fmt.Sprintf("%s-%d", offers[i].ID, p.forms+1)
		}
		tracks, err := p.room.Publish(ctx, offers)
		if err != nil {
			return err
		}
		p.publishedAs(offers, tracks)
	}
	p.mu.Lock()
	p.place = p.clips.place()
	p.mu.Unlock()
	p.passStart = max(p.ends, p.clock(time.Now())) // opening may have taken longer than the last packet lasts
	if p.clips.several() {
		p.con.log.Info("streaming", "file", p.clips.open.name(), "tracks", describeTracks(next))
	}
	return nil
}

// endTracks says that what is published is over.
func (p *pacer) endTracks() {
	for _, t := range p.tracks {
		t.track.End()
	}
}

// publishedAs leads the tracks of the source to those that were published for them.
func (p *pacer) publishedAs(offers []signaling.Track, tracks []*client.Outgoing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, o := range offers {
		p.tracks = append(p.tracks, outTrack{o, tracks[i]})
	}
	p.tracks = p.tracks[max(0, len(p.tracks)-maxPublished):]
	p.outs = nil
	for _, t := range p.src.tracks {
		i := slices.IndexFunc(offers, func(o signaling.Track) bool { return o.Kind == t.format.Kind })
		p.outs = append(p.outs, tracks[i].Layers()[t.layer])
	}
	p.last = make([]int64, len(p.outs))
	p.lastKey = -1
}

// clipError is one of a clip, not of the room.
type clipError struct{ error }

func (e clipError) Unwrap() error { return e.error }

// clock is the value of the member's clock at a time.
func (p *pacer) clock(at time.Time) int64 { return memberZero + at.Sub(p.base).Microseconds() }

func (p *pacer) over() bool {
	return p.cmd.Duration > 0 && p.ends-memberZero >= p.cmd.Duration.duration().Microseconds()
}

// pass publishes the source once. The goroutine that reads ends when the source is closed.
func (p *pacer) pass(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	packets := make(chan timed, 64)
	ended := make(chan error, 1)
	go func() {
		defer close(packets)
		ended <- p.readAhead(ctx, packets)
	}()
	first := true
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.room.Done():
			return p.gone()
		case packet, more := <-packets:
			if !more {
				return p.ended(<-ended, !first)
			}
			if first {
				p.passZero, first = packet.at, false
				p.clips.begun()
			}
			over, err := p.packet(ctx, packet)
			if over || err != nil {
				return err
			}
		}
	}
}

// readAhead reads the source into a channel until its end, or until ctx ends.
func (p *pacer) readAhead(ctx context.Context, packets chan<- timed) error {
	o := newOrdered(p.src)
	var begin []timed
	if p.src.start > 0 {
		var err error
		if begin, err = o.skipTo(p.src.start); err != nil {
			return err
		}
	}
	for {
		var packet timed
		var err error
		if len(begin) > 0 {
			packet, begin = begin[0], begin[1:]
		} else if packet, err = o.next(); err != nil {
			return err
		}
		select {
		case packets <- packet:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ended takes the error that ended the reading, some says whether there was a packet before.
func (p *pacer) ended(err error, some bool) error {
	switch {
	case errors.Is(err, media.ErrTruncated) && some:
		p.con.log.Warn("the input is cut off; all that is whole was streamed", "error", err)
		return nil
	case errors.Is(err, io.EOF) && some:
		return nil
	case errors.Is(err, io.EOF):
		return clipError{fmt.Errorf("%s holds no packet that can be streamed", p.clips.open.name())}
	}
	return clipError{fmt.Errorf("%s: %w", p.clips.open.name(), err)}
}

func (p *pacer) gone() error {
	if err := p.room.Err(); err != nil {
		return err
	}
	return errors.New("the room was left")
}

// packet publishes one packet when it is due. over says that --duration is.
func (p *pacer) packet(ctx context.Context, packet timed) (over bool, err error) {
	at := packet.at - p.passZero + p.passStart
	if p.cmd.Duration > 0 && at-memberZero >= p.cmd.Duration.duration().Microseconds() {
		p.ends = at
		return true, nil
	}
	due := p.base.Add(time.Duration(at-memberZero) * time.Microsecond)
	if err := p.until(ctx, due); err != nil {
		return false, err
	}
	bounded, cancel := context.WithDeadline(ctx, due.Add(roomWait))
	defer cancel()
	_ = p.room.Wait(bounded, max(0, uplinkAhead-len(packet.Data))) // when it does not clear, the uplink's rules say what goes
	f := packet.Frame
	f.Timestamp += p.passStart - p.passZero
	if err := p.outs[packet.Track].Write(f); err != nil {
		return false, err
	}
	p.note(packet, at)
	return false, nil
}

// until sleeps until a time.
func (p *pacer) until(ctx context.Context, due time.Time) error {
	wait := time.Until(due)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.room.Done():
		return p.gone()
	}
}

// note keeps track of where the stream is.
func (p *pacer) note(packet timed, at int64) {
	length := packet.Duration
	if length == 0 && p.last[packet.Track] != 0 {
		length = min(at-p.last[packet.Track], time.Second.Microseconds())
	}
	p.last[packet.Track] = at
	p.ends = max(p.ends, at+length)
	p.mu.Lock()
	p.position = time.Duration(at-memberZero) * time.Microsecond
	p.mu.Unlock()
	if p.src.tracks[packet.Track].format.Kind != media.Video {
		return
	}
	if packet.Key || p.lastKey < 0 {
		p.lastKey = at
	} else if apart := time.Duration(at-p.lastKey) * time.Microsecond; apart > maxKeyDistance && !p.warned {
		p.warned = true
		p.con.log.Warn("key frames are over 4 s apart: who loses a frame waits long for the picture; --gop 2s makes more of them")
	}
}

// progress is the line on the terminal.
func (p *pacer) progress() string {
	p.mu.Lock()
	at, tracks, place := p.position, slices.Clone(p.tracks), p.place
	p.mu.Unlock()
	var bytes, drops uint64
	for _, t := range tracks {
		s := t.track.Stats()
		bytes += s.Bytes
		drops += s.Drops.Total()
	}
	return place + fmt.Sprintf("%s  %s  %d dropped  %d viewers", clockText(at), bitsText(p.rate.update(bytes)), drops, len(p.room.Members()))
}
