package media

import "testing"

// Every name has one code point, and keeps it both ways.
func TestColourNamesHaveCodePoints(t *testing.T) {
	for point := range 256 {
		c := ColourOf(point, point, point, true)
		primary, transfer, matrix := c.CodePoints()
		for _, v := range []struct {
			what, name string
			point      int
		}{{"primaries", c.Primaries, primary}, {"transfer", c.Transfer, transfer}, {"matrix", c.Matrix, matrix}} {
			want := point
			if v.name == "" {
				want = ColourUnspecified
			}
			if v.point != want {
				t.Errorf("%s %d, %q, became %d", v.what, point, v.name, v.point)
			}
		}
	}
	hdr := Colour{Primaries: "bt2020", Transfer: "pq", Matrix: "bt2020-ncl"}
	if p, tr, m := hdr.CodePoints(); p != 9 || tr != 16 || m != 9 || *ColourOf(p, tr, m, false) != hdr {
		t.Errorf("bt2020, pq, bt2020-ncl are %d, %d, %d", p, tr, m)
	}
}

func TestColourThatSaysNothing(t *testing.T) {
	const reserved = 3
	for _, point := range []int{ColourUnspecified, reserved, -1, 1 << 20} {
		if c := ColourOf(point, point, point, false); c != nil {
			t.Errorf("code point %d: %+v", point, c)
		}
	}
	if c := ColourOf(ColourUnspecified, ColourUnspecified, ColourUnspecified, true); c == nil || *c != (Colour{FullRange: true}) {
		t.Errorf("full range alone: %+v", c)
	}
	if p, tr, m := (Colour{Primaries: "mauve"}).CodePoints(); p != 2 || tr != 2 || m != 2 {
		t.Errorf("an unknown name is %d, %d, %d", p, tr, m)
	}
}
