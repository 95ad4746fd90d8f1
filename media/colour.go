package media

// Colour is a VideoColorSpace of WebCodecs, with its enumeration names ("bt709", "smpte170m", ...).
// An empty string means unspecified.
type Colour struct {
	Primaries string `json:"primaries,omitempty"`
	Transfer  string `json:"transfer,omitempty"`
	Matrix    string `json:"matrix,omitempty"`
	FullRange bool   `json:"fullRange,omitempty"`
}

// ColourUnspecified is the code point of a property that is not stated.
const ColourUnspecified = 2

// Code points of ISO/IEC 23091-2 (ITU-T H.273), which H.264, VP9, AV1, MP4 and Matroska share, under their
// WebCodecs names.
var (
	primaries = map[int]string{1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}
	transfers = map[int]string{1: "bt709", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1", 16: "pq", 18: "hlg"}
	matrices  = map[int]string{0: "rgb", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020-ncl"}
)

// ColourOf names code points of ISO/IEC 23091-2. One that WebCodecs has no name for counts as unspecified.
// It returns nil if nothing is known at all; limited range, the default, is no knowledge.
func ColourOf(primary, transfer, matrix int, fullRange bool) *Colour {
	c := Colour{Primaries: primaries[primary], Transfer: transfers[transfer], Matrix: matrices[matrix], FullRange: fullRange}
	if c == (Colour{}) {
		return nil
	}
	return &c
}

// CodePoints is the inverse of ColourOf; a name that is empty or not known gives ColourUnspecified.
func (c Colour) CodePoints() (primary, transfer, matrix int) {
	return codePoint(primaries, c.Primaries), codePoint(transfers, c.Transfer), codePoint(matrices, c.Matrix)
}

func codePoint(names map[int]string, name string) int {
	for point, n := range names {
		if n == name {
			return point
		}
	}
	return ColourUnspecified
}
