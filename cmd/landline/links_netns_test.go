//go:build netns

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"landline/signaling/impair"
)

// The same scenarios over the kernel's own queues: the relay is in a network namespace of its own, and each member's path is a pair of
// virtual Ethernet devices with a token bucket on either side. Linux only, run by make impair-netns, which puts this process into a
// namespace of its own too. Both are gone with their processes.

const netnsEnv = "LANDLINE_NETNS"

func TestNetnsBoundedAge(t *testing.T) {
	d, long := formTime(20 * time.Second)
	boundedAge(t, netnsLab(t), newFigures(t, "impair-age-netns", long), "netns-age/", d, ageCases())
}

func TestNetnsThin(t *testing.T) {
	d, long := formTime(15 * time.Second)
	thin(t, netnsLab(t), newFigures(t, "impair-thin-netns", long), "netns-thin", d)
}

// netns is the relay's namespace.
type netns struct {
	pid   int
	port  string
	pairs int
}

func netnsLab(t *testing.T) *lab {
	t.Helper()
	if os.Getenv(netnsEnv) == "" {
		t.Skip("not in a network namespace of its own: run make impair-netns as root")
	}
	for _, tool := range []string{"ip", "tc", "nsenter"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	tool(t, "ip", "link", "set", "lo", "up")
	var none, log output
	serve := exec.Command(os.Args[0], "serve", "--listen", "0.0.0.0:0", "--open")
	serve.Env = append(os.Environ(), childEnv+"=landline")
	serve.Stdout, serve.Stderr = &none, &log
	serve.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := serve.Start(); err != nil {
		t.Skipf("no second namespace: %v", err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM) // it may have failed: Wait tells
		if err := serve.Wait(); err != nil {
			t.Errorf("serve: %v: %s", err, log.String())
		}
	})
	var serving struct{ Listen string }
	if err := json.Unmarshal([]byte(log.line(t, `"msg":"serving"`)), &serving); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(serving.Listen)
	if err != nil {
		t.Fatal(err)
	}
	n := &netns{pid: serve.Process.Pid, port: port}
	return &lab{url: "http://" + n.cord(t).target, path: n.path}
}

// veth is two ends of a virtual cable: near is in this process's namespace, far in the relay's.
type veth struct {
	ns        *netns
	near, far string
	target    string // the relay's address at the far end
}

func (n *netns) cord(t *testing.T) *veth {
	t.Helper()
	i := n.pairs
	n.pairs++
	p := &veth{ns: n, near: fmt.Sprint("near", n.pid, "-", i), far: fmt.Sprint("far", i)}
	p.near = p.near[:min(len(p.near), 15)]
	tool(t, "ip", "link", "add", p.near, "type", "veth", "peer", "name", p.far, "netns", fmt.Sprint(n.pid))
	t.Cleanup(func() {
		_ = exec.Command("ip", "link", "del", p.near).Run() // it may have gone with the relay
	})
	tool(t, "ip", "addr", "add", fmt.Sprintf("10.213.%d.1/30", i), "dev", p.near)
	tool(t, "ip", "link", "set", p.near, "up")
	n.inside(t, "ip", "addr", "add", fmt.Sprintf("10.213.%d.2/30", i), "dev", p.far)
	n.inside(t, "ip", "link", "set", p.far, "up")
	p.target = fmt.Sprintf("10.213.%d.2:%s", i, n.port)
	return p
}

func (n *netns) path(t *testing.T, up, down impair.Link) (string, road) {
	t.Helper()
	p := n.cord(t)
	p.bucket(t, "add", p.near, up)
	p.bucket(t, "add", p.far, down)
	const plenty = 4 << 20 // the proxy's own part is the delay, and never the bottleneck
	proxy, err := impair.Listen(p.target, linkSeed, impair.Link{Delay: up.Delay, Buffer: plenty}, impair.Link{Delay: down.Delay, Buffer: plenty})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return "http://" + proxy.Addr(), &cable{t: t, veth: p, up: up, down: down}
}

// bucket puts a token bucket on an end: add or change.
func (p *veth) bucket(t *testing.T, how, dev string, l impair.Link) {
	t.Helper()
	if l.Rate == 0 {
		return
	}
	burst := max(l.Rate/100, 1600) // 10 ms, and one packet at the least
	limit := max(l.Buffer, l.Rate/20, 3200) + burst
	args := []string{"tc", "qdisc", how, "dev", dev, "root", "handle", "1:", "tbf", "rate", fmt.Sprint(8*l.Rate, "bit"),
		"burst", fmt.Sprint(burst), "limit", fmt.Sprint(limit)}
	if dev == p.far {
		p.ns.inside(t, args...)
		return
	}
	tool(t, args...)
}

// cable is a veth as a road.
type cable struct {
	t        *testing.T
	veth     *veth
	up, down impair.Link
}

func (c *cable) SetUp(l impair.Link) {
	c.up = l
	c.veth.bucket(c.t, "change", c.veth.near, l)
}

func (c *cable) SetDown(l impair.Link) {
	c.down = l
	c.veth.bucket(c.t, "change", c.veth.far, l)
}

// Stall leaves a trickle, since the kernel knows no rate of 0. What does not fit into the queues is lost, as it is out there.
func (c *cable) Stall(d time.Duration) {
	for dev, l := range map[string]impair.Link{c.veth.near: c.up, c.veth.far: c.down} {
		if l.Rate > 0 {
			still := l
			still.Buffer = max(l.Buffer, l.Rate/20)
			still.Rate = 125
			c.veth.bucket(c.t, "change", dev, still)
		}
	}
	time.AfterFunc(d, func() {
		c.SetUp(c.up)
		c.SetDown(c.down)
	})
}

// Held is not known here.
func (c *cable) Held() (up, down int) { return 0, 0 }

// inside runs a tool in the relay's namespace.
func (n *netns) inside(t *testing.T, args ...string) {
	t.Helper()
	tool(t, append([]string{"nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", n.pid)}, args...)...)
}

func tool(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}
