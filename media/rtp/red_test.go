package rtp

import (
	"bytes"
	"reflect"
	"testing"
)

// takeRed reads a payload by RFC 2198: what it carries, the oldest first, with how long ago it was.
func takeRed(t *testing.T, payload []byte) (ago []uint32, data [][]byte) {
	t.Helper()
	var lengths []int
	for payload[0]&redMore != 0 {
		bits := uint32(payload[1])<<16 | uint32(payload[2])<<8 | uint32(payload[3])
		ago, lengths = append(ago, bits>>10), append(lengths, int(bits&redLength))
		payload = payload[redHead:]
	}
	if payload[0] != 111 {
		t.Fatalf("payload type %d", payload[0])
	}
	payload = payload[1:]
	for _, n := range lengths {
		data, payload = append(data, payload[:n]), payload[n:]
	}
	return append(ago, 0), append(data, payload)
}

func TestRedCarriesWhatCameBefore(t *testing.T) {
	var r Red
	big := bytes.Repeat([]byte{9}, MaxPayload-40)
	long := bytes.Repeat([]byte{8}, redLength+1)
	for i, c := range []struct {
		stamp uint32
		data  []byte
		ago   []uint32
		with  [][]byte
	}{
		{1<<32 - 960, []byte{1}, nil, nil},
		{0, []byte{2, 2}, []uint32{960}, [][]byte{{1}}},
		{960, []byte{3}, []uint32{1920, 960}, [][]byte{{1}, {2, 2}}},
		{1920, []byte{4}, []uint32{1920, 960}, [][]byte{{2, 2}, {3}}},
		{1920, []byte{5}, nil, nil}, // two of one time
		{2880, big, []uint32{960, 960}, [][]byte{{4}, {5}}},
		{3840, []byte{6}, nil, nil}, // what is too long for a head is not carried, nor what is before it
		{4800, long, []uint32{960}, [][]byte{{6}}},
		{5760, []byte{7}, nil, nil},
		{60_000, []byte{8}, nil, nil}, // silence was long
	} {
		ago, data := takeRed(t, r.Payload(111, c.stamp, c.data))
		if !reflect.DeepEqual(ago, append(c.ago, 0)) || !reflect.DeepEqual(data, append(c.with, c.data)) {
			t.Errorf("packet %d: %v ago, %d blocks", i, ago, len(data))
		}
		r.Note(c.stamp, c.data)
	}
}
