package bench

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAreThoseOfTheSortedList(t *testing.T) {
	for _, most := range []int64{50, 1000, 80_000, 5_000_000} {
		random := rand.New(rand.NewPCG(1, uint64(most)))
		var h histogram
		var list []int64
		for range 5000 {
			us := random.Int64N(most)
			list = append(list, us)
			h.add(us*1000 + random.Int64N(1000))
		}
		slices.Sort(list)
		for _, q := range []float64{0.5, 0.95, 0.99, 1} {
			want := list[int(q*float64(len(list)))-1]
			got := h.quantile(q).Microseconds()
			if got > want || float64(got) < float64(want)*63/64-1 {
				t.Errorf("of %d up to %d: quantile %g is %d, want %d", len(list), most, q, got, want)
			}
		}
		if h.n != 5000 || h.most != list[len(list)-1] {
			t.Errorf("n %d, largest %d; want 5000, %d", h.n, h.most, list[len(list)-1])
		}
	}
}

func TestAHistogramOfNothingAndOfExtremes(t *testing.T) {
	var h histogram
	if h.quantile(0.99) != 0 {
		t.Error("a quantile of nothing")
	}
	h.add(-5)
	h.add(int64(100 * time.Hour))
	if h.quantile(0.5) != 0 || h.most != (100*time.Hour).Microseconds() {
		t.Errorf("median %v, largest %d", h.quantile(0.5), h.most)
	}
}

func TestHistogramsAddUpAcrossProcesses(t *testing.T) {
	var a, b, sum histogram
	for i := range int64(1000) {
		a.add(i * 7000)
		b.add(i * 90_000)
	}
	for _, h := range []*histogram{&a, &b} {
		text, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		var read histogram
		if err := json.Unmarshal(text, &read); err != nil || read != *h {
			t.Fatalf("%v: what was read is not what was written", err)
		}
		sum.merge(&read)
	}
	if sum.n != 2000 || sum.most != b.most {
		t.Errorf("n %d, largest %d", sum.n, sum.most)
	}
}
