package webm

import "errors"

var errLacing = errors.New("the sizes of its laced frames are not sound")

// laces reads the lacing head of a block (RFC 9559 section 10.3): n frames of the given sizes fill the
// returned data exactly.
func laces(b []byte, lacing byte, sizes *[256]int) (n int, data []byte, err error) {
	if len(b) == 0 {
		return 0, nil, errLacing
	}
	n, b = int(b[0])+1, b[1:]
	switch lacing {
	case lacingXiph:
		b, err = xiphSizes(b, sizes[:n-1])
	case lacingEBML:
		b, err = ebmlSizes(b, sizes[:n-1])
	default:
		if len(b)%n != 0 {
			return 0, nil, errLacing
		}
		for i := range sizes[:n] {
			sizes[i] = len(b) / n
		}
		return n, b, nil
	}
	if err != nil {
		return 0, nil, err
	}
	left := len(b)
	for _, size := range sizes[:n-1] {
		if size > left {
			return 0, nil, errLacing
		}
		left -= size
	}
	sizes[n-1] = left
	return n, b, nil
}

// xiphSizes reads sizes that are sums of bytes up to one below 255.
func xiphSizes(b []byte, sizes []int) ([]byte, error) {
	for i := range sizes {
		for {
			if len(b) == 0 {
				return nil, errLacing
			}
			c := b[0]
			b = b[1:]
			sizes[i] += int(c)
			if c != 255 {
				break
			}
		}
	}
	return b, nil
}

// ebmlSizes reads the first size as a variable-size integer and the others as differences.
func ebmlSizes(b []byte, sizes []int) ([]byte, error) {
	size := int64(0)
	for i := range sizes {
		v, n := vint(b)
		if n > 8 || n > len(b) {
			return nil, errLacing
		}
		b = b[n:]
		if i == 0 {
			size = int64(v)
		} else {
			size += int64(v) - int64(ones(n)/2)
		}
		if size < 0 || size > 1<<32 {
			return nil, errLacing
		}
		sizes[i] = int(size)
	}
	return b, nil
}
