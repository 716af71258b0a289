package node

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// uplinks are the devices that a default route goes through, of either protocol.
// dir is /proc/net; a kernel without a protocol has no file of it.
//
// procfs parses neither: it has nothing for IPv6, and gives up a whole table of
// IPv4 for one route whose flags have a hexadecimal digit that is no decimal one.
func uplinks(dir string) map[string]bool {
	out := map[string]bool{}
	for file, device := range map[string]func(fields []string) string{"route": defaultRoute4, "ipv6_route": defaultRoute6} {
		f, err := os.Open(filepath.Join(dir, file))
		if err != nil {
			continue
		}
		readRoutes(f, device, out)
		f.Close()
	}
	return out
}

func readRoutes(r io.Reader, device func(fields []string) string, into map[string]bool) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if name := device(strings.Fields(lines.Text())); name != "" {
			into[name] = true
		}
	}
}

// defaultRoute4 returns the device of a line of /proc/net/route if it is a default
// route: device, destination, …, mask in the eighth column (net/ipv4/fib_trie.c).
func defaultRoute4(fields []string) string {
	if len(fields) < 8 || fields[1] != "00000000" || fields[7] != "00000000" {
		return ""
	}
	return fields[0]
}

// defaultRoute6 returns the device of a line of /proc/net/ipv6_route if it is a
// default route: destination, length of its prefix, …, device (net/ipv6/route.c).
// The route that refuses what no other takes is on lo.
func defaultRoute6(fields []string) string {
	const columns = 10
	if len(fields) < columns || strings.Trim(fields[0], "0") != "" || fields[1] != "00" || fields[columns-1] == "lo" {
		return ""
	}
	return fields[columns-1]
}
