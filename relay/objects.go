package relay

import (
	"errors"
	"slices"

	"landline/media"
)

// Errors of objects and their streams.
var (
	ErrObjectDiffers  = errors.New("an object of this id is offered already, with another name or size")
	ErrTooManyStreams = errors.New("the sender, the receiver or the room has as many streams as it takes")
	ErrNoSuchStream   = errors.New("there is no such stream")
	ErrBadOffset      = errors.New("the offset is not within what was sent")
	ErrTwice          = errors.New("the stream was accepted in this session already")
)

// Offer offers an object to a member, or with to == "" to all who are in the room now, but for those who have as many streams
// as they take. What is offered already stays as it is, and a sender that was accepted is told where to go on: so it offers
// again after it has lost its session. Its session is told of the streams, with req, before all that befalls them.
func (m *Member) Offer(o Object, to string, req int64) (list []StreamTo, err error) {
	r := m.room
	r.change(func(wakes *[]*Subscriber) {
		var open []*stream
		if open, err = r.offer(m, o, to, wakes); err != nil {
			return
		}
		for _, st := range open {
			list = append(list, StreamTo{st.number, st.to.id})
		}
		m.tellLocked(&Event{Kind: ObjectOffering, Req: req, Object: &ObjectEvent{Object: o, Streams: list}}, wakes)
		for _, st := range open {
			if st.accepted {
				next, consumed := st.again()
				m.tellLocked(st.acceptedEvent(next), wakes)
				m.tellLocked(st.creditEvent(consumed), wakes)
			}
		}
	})
	return list, err
}

// offer finds or makes the streams of an object.
func (r *Room) offer(m *Member, o Object, to string, wakes *[]*Subscriber) (list []*stream, err error) {
	if m.left {
		return nil, ErrGone
	}
	targets, err := r.targets(m, to)
	if err != nil {
		return nil, err
	}
	var fresh []*Member
	for _, t := range targets {
		st := r.streamOf(m, o.ID, t)
		switch {
		case st == nil && r.count(func(st *stream) bool { return st.to == t }) < maxStreamsTo:
			fresh = append(fresh, t)
		case st == nil && to != "":
			return nil, ErrTooManyStreams
		case st != nil && st.object != o:
			return nil, ErrObjectDiffers
		case st != nil:
			list = append(list, st)
		}
	}
	if len(r.streams)+len(fresh) > maxStreams || len(fresh)+r.count(func(st *stream) bool { return st.from == m }) > maxStreamsFrom {
		return nil, ErrTooManyStreams
	}
	for _, t := range fresh {
		list = append(list, r.openStream(m, o, t, wakes))
	}
	return list, nil
}

// targets lists who is meant, in the order in which they came.
func (r *Room) targets(m *Member, to string) (list []*Member, err error) {
	if to != "" {
		if t := r.members[to]; t != nil && t != m && !t.hidden && !t.deaf {
			return []*Member{t}, nil
		}
		return nil, ErrNoSuchMember
	}
	for _, t := range r.members {
		if t != m && !t.hidden && !t.deaf {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, func(a, b *Member) int { return a.since.Compare(b.since) })
	return list, nil
}

func (r *Room) streamOf(from *Member, object string, to *Member) *stream {
	for _, st := range r.streams {
		if st.from == from && st.to == to && st.object.ID == object {
			return st
		}
	}
	return nil
}

func (r *Room) count(which func(*stream) bool) (n int) {
	for _, st := range r.streams {
		if which(st) {
			n++
		}
	}
	return n
}

// openStream makes a stream under a number that is not in use, and tells the receiver.
func (r *Room) openStream(from *Member, o Object, to *Member, wakes *[]*Subscriber) *stream {
	for r.lastStream++; r.lastStream == 0 || r.streams[r.lastStream] != nil; {
		r.lastStream++
	}
	st := &stream{number: r.lastStream, object: o, from: from, to: to}
	r.streams[st.number] = st
	if from != nil && from.pub != nil {
		from.pub.addStream(st)
	}
	to.tellLocked(st.event(ObjectOffered), wakes)
	return st
}

// closeStream forgets a stream.
func (r *Room) closeStream(st *stream) {
	delete(r.streams, st.number)
	if st.from != nil && st.from.pub != nil {
		st.from.pub.forgetStream(st)
	}
	if st.loan != nil {
		close(st.loan.over)
	}
	if st.by != nil {
		st.by.removeBulk(&st.bulk)
	}
	st.end()
}

// closeStreams forgets the streams of a member that leaves, and tells the other ends.
func (r *Room) closeStreams(m *Member, wakes *[]*Subscriber) {
	for _, st := range r.streams {
		if st.from == m || st.to == m {
			r.cancel(st, st.otherEnd(m), "left", wakes)
		}
	}
}

func (r *Room) cancel(st *stream, tell *Member, reason string, wakes *[]*Subscriber) {
	r.closeStream(st)
	if tell == nil {
		return
	}
	e := st.event(ObjectCancelled)
	e.Reason = reason
	tell.tellLocked(e, wakes)
}

// offerAgain tells a member that has a new session what is offered to it: it accepts again where it was.
func (m *Member) offerAgain(wakes *[]*Subscriber) {
	var list []*stream
	for _, st := range m.room.streams {
		if st.to == m {
			list = append(list, st)
		}
	}
	slices.SortFunc(list, func(a, b *stream) int { return int(int64(a.number) - int64(b.number)) })
	for _, st := range list {
		m.tellLocked(st.event(ObjectOffered), wakes)
	}
}

// onStream runs f for a stream of which the member is an end.
func (m *Member) onStream(number uint32, f func(st *stream, wakes *[]*Subscriber) error) (err error) {
	m.room.change(func(wakes *[]*Subscriber) {
		st := m.room.streams[number]
		if st == nil || m.left || st.from != m && st.to != m {
			err = ErrNoSuchStream
			return
		}
		err = f(st, wakes)
	})
	return err
}

// Accept takes a stream that was offered from an offset on: a receiver that was away, or a relay that was, goes on where the receiver's
// consumption stands. A member's is accepted once in a session, a loan at any time.
func (m *Member) Accept(number uint32, offset uint64) error {
	return m.onStream(number, func(st *stream, wakes *[]*Subscriber) error {
		switch {
		case st.to != m || m.sub == nil:
			return ErrNoSuchStream
		case offset > st.object.Size:
			return ErrBadOffset
		case st.by == m.sub && st.loan == nil:
			return ErrTwice
		}
		st.accepted, st.by, st.told = true, m.sub, offset
		st.begin(offset, m.sub)
		m.sub.addBulk(&st.bulk)
		st.tellSender(st.acceptedEvent(offset), wakes)
		if st.sha256 != "" {
			m.tellLocked(st.event(ObjectFinished), wakes)
		}
		return nil
	})
}

// Credit says how much of a stream the member has consumed; told reports whether it was so much more that the sender was told.
func (m *Member) Credit(number uint32, offset uint64) (told bool, err error) {
	err = m.onStream(number, func(st *stream, wakes *[]*Subscriber) error {
		if st.to != m || !st.consume(offset) {
			return ErrBadOffset
		}
		if told = offset-st.told >= creditStep; told {
			st.tellSender(st.creditEvent(offset), wakes)
		}
		return nil
	})
	return told, err
}

// Finish tells the receiver the hash of the whole object. The first one counts.
func (m *Member) Finish(number uint32, sha256 string) error {
	return m.onStream(number, func(st *stream, wakes *[]*Subscriber) error {
		if st.from != m {
			return ErrNoSuchStream
		}
		if st.sha256 == "" {
			st.sha256 = sha256
			if st.accepted {
				st.to.tellLocked(st.event(ObjectFinished), wakes)
			}
		}
		return nil
	})
}

// Received tells the sender that the member has the whole object, and ends the stream.
func (m *Member) Received(number uint32) error {
	return m.onStream(number, func(st *stream, wakes *[]*Subscriber) error {
		if st.to != m || st.loan != nil || !st.delivered() {
			return ErrBadOffset
		}
		m.room.closeStream(st)
		st.from.tellLocked(st.event(ObjectReceived), wakes)
		return nil
	})
}

// CancelStream ends a stream from either end, and tells the other why. A loan only rests, until it is accepted again.
func (m *Member) CancelStream(number uint32, reason string) error {
	return m.onStream(number, func(st *stream, wakes *[]*Subscriber) error {
		if st.loan != nil {
			st.pause()
			return nil
		}
		m.room.cancel(st, st.otherEnd(m), reason, wakes)
		return nil
	})
}

// Object takes one chunk of an object; c is m.Data parsed. Errors are ErrUnknownAlias for a stream that the session does not
// send on, an *OrderError, a *CreditError, or a media.WireError.
func (p *Publisher) Object(c *media.ObjectChunk, m Message) error {
	st, err := p.stream(c.Stream)
	if st == nil || err != nil {
		return err
	}
	p.member.room.relay.totals.ObjectBytesIn.Add(uint64(len(m.Data)))
	sub, err := st.write(c, m)
	if sub != nil && sub.bulkReady() {
		sub.notify(false)
	}
	return err
}

// stream finds a stream by number; nil without an error means one that has ended.
func (p *Publisher) stream(number uint32) (*stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch st := p.streams[number]; {
	case p.closed:
		return nil, nil
	case st != nil:
		return st, nil
	case slices.Contains(p.endedStreams[:], number):
		return nil, nil
	}
	return nil, ErrUnknownAlias
}

func (p *Publisher) addStream(st *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streams[st.number] = st
}

func (p *Publisher) forgetStream(st *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, st.number)
	p.endedStreams[p.nextStream%len(p.endedStreams)] = st.number
	p.nextStream++
}
