package server

import (
	"errors"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

// onObjects deals with what a member says of objects and their streams; known is false for other messages.
func (r *reader) onObjects(m any) (req int64, fault *signaling.Error, known bool) {
	member := r.seat.member
	switch m := m.(type) {
	case *signaling.Offer:
		return m.Req, r.offer(m), true
	case *signaling.Accept:
		return m.Req, relayFault(member.Accept(m.Stream, m.Offset)), true
	case *signaling.Credit:
		return m.Req, r.credit(m), true
	case *signaling.Finish:
		return m.Req, relayFault(member.Finish(m.Stream, m.SHA256)), true
	case *signaling.Received:
		return m.Req, relayFault(member.Received(m.Stream)), true
	case *signaling.Cancel:
		return m.Req, relayFault(member.CancelStream(m.Stream, m.Reason)), true
	}
	return 0, nil, false
}

// credit takes a receiver's credit. What moves a stream on comes no more often than its data, and so is not held against the sender of messages.
func (r *reader) credit(m *signaling.Credit) *signaling.Error {
	told, err := r.seat.member.Credit(m.Stream, m.Offset)
	if told {
		r.texts.giveBack(1)
		r.messages.giveBack(1)
	}
	return relayFault(err)
}

func (r *reader) offer(m *signaling.Offer) *signaling.Error {
	if !r.seat.may(token.Data) {
		return noGrant(token.Data)
	}
	if err := m.CheckObject(); err != nil {
		return faultOf(signaling.ErrBadObject, err)
	}
	_, err := r.seat.member.Offer(relay.Object{ID: m.Object, Name: m.Name, MIME: m.MIME, Size: m.Size}, m.To, m.Req)
	return relayFault(err)
}

// objectData takes a chunk of an object.
func (r *reader) objectData(msg []byte) error {
	buf := make([]byte, signaling.Headroom+len(msg))
	copy(buf[signaling.Headroom:], msg)
	c, err := media.ParseObject(buf[signaling.Headroom:])
	if err != nil {
		return err
	}
	return r.known(r.pub.Object(&c, relay.Message{Data: buf[signaling.Headroom:], Wire: signaling.FrameInPlace(buf)}))
}

// creditClose is the close for a sender that went beyond its credit; nil for another error.
func creditClose(err error) *signaling.Closed {
	var credit *relay.CreditError
	if errors.As(err, &credit) {
		return signaling.Closef(signaling.CloseCredit, "%s", credit)
	}
	return nil
}

// objectMessage gives the message that tells of an event of an object; nil for another event.
func objectMessage(e *relay.Event) any {
	o := e.Object
	switch e.Kind {
	case relay.ObjectOffering:
		return wireOffering(e.Req, o)
	case relay.ObjectOffered:
		return signaling.Offered{Type: "offered", Stream: o.Stream, Object: o.ID, From: e.Member, Name: o.Name, Size: o.Size, MIME: o.MIME,
			Part: o.Part, Parts: o.Parts}
	case relay.ObjectAccepted:
		return signaling.Accepted{Type: "accepted", Stream: o.Stream, Object: o.ID, To: o.To, Offset: o.Offset, Turn: o.Turn}
	case relay.ObjectCredit:
		return signaling.Credit{Type: "credit", Stream: o.Stream, Offset: o.Offset}
	case relay.ObjectFinished:
		return signaling.Finish{Type: "finish", Stream: o.Stream, SHA256: o.SHA256}
	case relay.ObjectReceived:
		return signaling.Received{Type: "received", Stream: o.Stream}
	case relay.ObjectCancelled:
		return signaling.Cancel{Type: "cancel", Stream: o.Stream, Reason: e.Reason}
	}
	return nil
}

func wireOffering(req int64, o *relay.ObjectEvent) signaling.Offering {
	m := signaling.Offering{Type: "offering", Req: req, Object: o.ID, Streams: []signaling.StreamTo{}}
	for _, s := range o.Streams {
		m.Streams = append(m.Streams, signaling.StreamTo(s))
	}
	return m
}
