package server

import "testing"

func TestAcksAreFreeByWhatTheyTellOf(t *testing.T) {
	var s stride
	total := uint64(0)
	for n := range 100 {
		if total += freeAck - 1; s.to(total) {
			t.Fatalf("ack %d tells of a byte too few, and is free", n)
		}
		if s.to(total) {
			t.Fatalf("ack %d is said again, and is free", n)
		}
		if total += freeAck; !s.to(total) {
			t.Fatalf("ack %d tells of enough, and is not free", n)
		}
	}
}
