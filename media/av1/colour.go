package av1

import "landline/media"

// Code points of ITU-T H.273, which AV1, H.264 and Matroska share, under their WebCodecs names.
var (
	primaryNames  = map[int]string{1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}
	transferNames = map[int]string{1: "bt709", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1", 16: "pq", 18: "hlg"}
	matrixNames   = map[int]string{0: "rgb", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020-ncl"}
)

// unspecified is the code point for a property that is not stated.
const unspecified = 2

// Colour names code points of ITU-T H.273. One without a WebCodecs name counts as unspecified. It returns
// nil when nothing is specified.
func Colour(primaries, transfer, matrix int, fullRange bool) *media.Colour {
	c := media.Colour{
		Primaries: primaryNames[primaries],
		Transfer:  transferNames[transfer],
		Matrix:    matrixNames[matrix],
		FullRange: fullRange,
	}
	if c == (media.Colour{}) {
		return nil
	}
	return &c
}

// CodePoints is the inverse of Colour; names that are not known give 2, unspecified.
func CodePoints(c *media.Colour) (primaries, transfer, matrix int) {
	return codePoint(primaryNames, c.Primaries), codePoint(transferNames, c.Transfer), codePoint(matrixNames, c.Matrix)
}

func codePoint(names map[int]string, name string) int {
	for point, n := range names {
		if n == name {
			return point
		}
	}
	return unspecified
}
