package h264

import "landline/media"

// colour names code points of ISO/IEC 23091-2 in the words of a WebCodecs VideoColorSpace. Those that
// WebCodecs has no word for stay unspecified; nil means that nothing at all is known.
func colour(primaries, transfer, matrix uint32, fullRange bool) *media.Colour {
	c := media.Colour{
		Primaries: map[uint32]string{1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020", 12: "smpte432"}[primaries],
		Transfer:  map[uint32]string{1: "bt709", 6: "smpte170m", 8: "linear", 13: "iec61966-2-1", 16: "pq", 18: "hlg"}[transfer],
		Matrix:    map[uint32]string{0: "rgb", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020-ncl"}[matrix],
		FullRange: fullRange,
	}
	if c == (media.Colour{}) {
		return nil
	}
	return &c
}
