package h264

import (
	"bytes"
	"fmt"
	"iter"

	"landline/media"
)

// NAL unit types (table 7-1) that matter here.
const (
	nalSlice         = 1
	nalPartitionA    = 2
	nalIDR           = 5
	nalSEI           = 6
	nalSPS           = 7
	nalPPS           = 8
	nalAUD           = 9
	nalPrefix        = 14 // 14 to 18 begin a new access unit, as 6 to 9 do
	nalReserved18    = 18
	startCodeLength  = 4
	maxParameterSize = 4096 // the largest legal set, with every scaling list sent, has about 1.5 kB
)

var (
	startCode      = []byte{0, 0, 0, 1}
	shortStartCode = startCode[1:]
)

// nalType gives nal_unit_type of a NAL unit that is not empty.
func nalType(nal []byte) int { return int(nal[0] & 0x1f) }

// isVCL reports whether the NAL unit begins a slice of a primary coded picture.
func isVCL(nal []byte) bool {
	switch nalType(nal) {
	case nalSlice, nalPartitionA, nalIDR:
		return true
	}
	return false
}

// NALs gives the NAL units of an Annex B byte stream, without start codes and trailing zero bytes;
// what comes before the first start code is passed over, and so are empty units. The slices share
// memory with annexb.
func NALs(annexb []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		_, rest, found := bytes.Cut(annexb, shortStartCode)
		for found {
			var nal []byte
			nal, rest, found = bytes.Cut(rest, shortStartCode)
			nal = bytes.TrimRight(nal, "\x00")
			if len(nal) > 0 && !yield(nal[:len(nal):len(nal)]) {
				return
			}
		}
	}
}

// IsKey reports whether a frame has an IDR picture, which is the only kind that a decoder can always
// start from: containers call recovery points key frames too.
func IsKey(annexb []byte) bool {
	for nal := range NALs(annexb) {
		if nalType(nal) == nalIDR {
			return true
		}
	}
	return false
}

// sets are the parameter sets that a key frame needs.
type sets struct {
	sps, pps [][]byte
}

// accessUnit joins NAL units into a frame. With key set, kinds of parameter sets that are not inline
// come from known: sequence parameter sets first, picture parameter sets before the first unit that
// is not a sequence parameter set.
func accessUnit(nals [][]byte, key bool, known sets) ([]byte, error) {
	var sps, pps [][]byte
	if key {
		sps, pps = known.sps, known.pps
	}
	for _, nal := range nals {
		switch nalType(nal) {
		case nalSPS:
			sps = nil
		case nalPPS:
			pps = nil
		}
	}
	size := joined(nals) + joined(sps) + joined(pps)
	if size > media.MaxFrameSize {
		return nil, fmt.Errorf("%w: h264 access unit of %d bytes, at most %d are read", media.ErrTooLarge, size, media.MaxFrameSize)
	}
	out := appendNALs(make([]byte, 0, size), sps)
	for i, nal := range nals {
		switch nalType(nal) {
		case nalAUD:
			continue
		case nalSPS:
		default:
			out = appendNALs(out, pps)
			pps = nil
		}
		out = appendNALs(out, nals[i:i+1])
	}
	return out, nil
}

// joined is the size of NAL units behind start codes.
func joined(nals [][]byte) int {
	n := len(nals) * startCodeLength
	for _, nal := range nals {
		n += len(nal)
	}
	return n
}

func appendNALs(out []byte, nals [][]byte) []byte {
	for _, nal := range nals {
		out = append(append(out, startCode...), nal...)
	}
	return out
}
