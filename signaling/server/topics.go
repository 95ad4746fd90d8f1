package server

import (
	"landline/relay"
	"landline/signaling"
	"landline/signaling/token"
)

func (r *reader) put(m *signaling.Put) *signaling.Error {
	if !r.seat.may(token.Data) {
		return noGrant(token.Data)
	}
	if err := signaling.CheckTopic(m.Topic, m.Mode); err != nil {
		return faultOf(signaling.ErrBadTopic, err)
	}
	if err := m.CheckValues(); err != nil {
		return faultOf(signaling.ErrBadValue, err)
	}
	p := &relay.Put{Topic: m.Topic, Mode: relay.Mode(m.Mode), Source: m.Source, N: m.N, Owned: m.Owned, Values: make([]relay.Value, len(m.Values))}
	for i, v := range m.Values {
		p.Values[i] = relay.Value{Key: v.Key, Data: v.Value, Gone: v.Gone()}
	}
	return relayFault(r.seat.member.Put(p))
}

func (r *reader) follow(m *signaling.Follow) *signaling.Error {
	if !r.seat.may(token.Subscribe) {
		return noGrant(token.Subscribe)
	}
	if err := signaling.CheckTopic(m.Topic, m.Mode); err != nil {
		return faultOf(signaling.ErrBadTopic, err)
	}
	return relayFault(r.seat.member.Follow(m.Topic, relay.Mode(m.Mode), m.Epoch, m.After))
}

// batchMessage gives the message that tells of a batch.
func batchMessage(b *relay.Batch) signaling.Data {
	d := signaling.Data{Type: "data", Topic: b.Topic, Mode: string(b.Mode), Epoch: b.Epoch, From: b.From, To: b.To, Head: b.Head,
		Missed: b.Missed, Values: make([]signaling.Value, len(b.Values))}
	for i := range b.Values {
		v := &b.Values[i]
		d.Values[i] = signaling.Value{Key: v.Key, Value: v.Data, Seq: v.Seq, AtUs: v.At.UnixMicro(), By: v.By}
	}
	return d
}
