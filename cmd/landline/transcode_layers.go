package main

import (
	"fmt"
	"strings"
)

// minLayerHeight is that of the smallest picture that is worth a layer.
const minLayerHeight = 90

// sizes is how many sizes of the video are made: as many as are asked for, but none too small where the height is known.
func (s transcodeSpec) sizes() int {
	n := max(1, s.layers)
	for n > 1 && s.video.format.Height > 0 && min(s.video.format.Height, 1080)>>(n-1) < minLayerHeight {
		n--
	}
	return n
}

// layerArguments scale and encode the first video track in several sizes, the smallest first: each half of the next. Their key frames
// are at the same times.
func (r rendition) layerArguments(sizes int, gopSeconds float64) []string {
	graph := []string{fmt.Sprintf("[0:V:0]%s,split=%d%s", fitFilter, sizes, labels("s", sizes))}
	for i := range sizes {
		div := 1 << (sizes - 1 - i)
		graph = append(graph, fmt.Sprintf("[s%d]scale=w='trunc(iw/%d)*2':h='trunc(ih/%d)*2'[v%d]", i, 2*div, 2*div, i))
	}
	args := []string{"-filter_complex", strings.Join(graph, ";")}
	for i := range sizes {
		args = append(args, "-map", fmt.Sprintf("[v%d]", i))
	}
	args = append(args, encoderArguments(gopSeconds)...)
	for i := range sizes {
		rate := layerBitrate(bitrate(r.format.Width, r.format.Height), sizes-1-i)
		args = append(args, fmt.Sprintf("-b:v:%d", i), fmt.Sprint(rate), fmt.Sprintf("-maxrate:v:%d", i), fmt.Sprint(rate*3/2),
			fmt.Sprintf("-bufsize:v:%d", i), fmt.Sprint(rate))
	}
	return args
}

func labels(name string, n int) (s string) {
	for i := range n {
		s += fmt.Sprintf("[%s%d]", name, i)
	}
	return s
}

// layerBitrate is that of a picture whose sides were halved so many times: small pictures need more for each pixel.
func layerBitrate(rate, halved int) int {
	for range halved {
		rate = rate * 3 / 8
	}
	return max(rate, 60_000)
}
