package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"

	procnfs "github.com/prometheus/procfs/nfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// nfs serves what the node does as a client of NFS.
type nfs struct{ proc procnfs.FS }

// Collect reads /proc/net/rpc/nfs, which is missing where nothing is mounted.
func (c nfs) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.proc.ClientRPCStats()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read statistics of NFS: %w", err)
	}
	w.Series(metrics.NodeNFSPackets).Add(float64(s.Network.UDPCount), "udp")
	w.Series(metrics.NodeNFSPackets).Add(float64(s.Network.TCPCount), "tcp")
	w.Series(metrics.NodeNFSConnections).Add(float64(s.Network.TCPConnect))
	w.Series(metrics.NodeNFSRPCs).Add(float64(s.ClientRPC.RPCCount))
	w.Series(metrics.NodeNFSRetransmissions).Add(float64(s.ClientRPC.Retransmissions))
	w.Series(metrics.NodeNFSAuthRefreshes).Add(float64(s.ClientRPC.AuthRefreshes))
	requests := w.Series(metrics.NodeNFSRequests)
	addMethods(requests, "2", s.V2Stats)
	addMethods(requests, "3", s.V3Stats)
	addMethods(requests, "4", s.ClientV4Stats)
	return nil
}

// nfsd serves what the node does as a server of NFS.
type nfsd struct{ proc procnfs.FS }

// Collect reads /proc/net/rpc/nfsd, which is missing where no server runs.
func (c nfsd) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.proc.ServerRPCStats()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read statistics of the NFS server: %w", err)
	}
	w.Series(metrics.NodeNFSDReplyCacheHits).Add(float64(s.ReplyCache.Hits))
	w.Series(metrics.NodeNFSDReplyCacheMisses).Add(float64(s.ReplyCache.Misses))
	w.Series(metrics.NodeNFSDReplyCacheNoCache).Add(float64(s.ReplyCache.NoCache))
	w.Series(metrics.NodeNFSDStaleHandles).Add(float64(s.FileHandles.Stale))
	w.Series(metrics.NodeNFSDBytesRead).Add(float64(s.InputOutput.Read))
	w.Series(metrics.NodeNFSDBytesWritten).Add(float64(s.InputOutput.Write))
	w.Series(metrics.NodeNFSDThreads).Add(float64(s.Threads.Threads))
	w.Series(metrics.NodeNFSDReadAheadSize).Add(float64(s.ReadAheadCache.CacheSize))
	w.Series(metrics.NodeNFSDReadAheadNotFound).Add(float64(s.ReadAheadCache.NotFound))
	w.Series(metrics.NodeNFSDPackets).Add(float64(s.Network.UDPCount), "udp")
	w.Series(metrics.NodeNFSDPackets).Add(float64(s.Network.TCPCount), "tcp")
	w.Series(metrics.NodeNFSDConnections).Add(float64(s.Network.TCPConnect))
	w.Series(metrics.NodeNFSDRPCErrors).Add(float64(s.ServerRPC.BadFmt), "fmt")
	w.Series(metrics.NodeNFSDRPCErrors).Add(float64(s.ServerRPC.BadAuth), "auth")
	w.Series(metrics.NodeNFSDRPCErrors).Add(float64(s.ServerRPC.BadcInt), "cInt")
	w.Series(metrics.NodeNFSDRPCs).Add(float64(s.ServerRPC.RPCCount))
	requests := w.Series(metrics.NodeNFSDRequests)
	addMethods(requests, "2", s.V2Stats, "Null")
	addMethods(requests, "3", s.V3Stats, "Null")
	addMethods(requests, "4", s.V4Ops, "Op0Unused", "Op1Unused", "Op2Future", "PutPubFH", "PutRootFH")
	requests.Add(float64(s.WdelegGetattr), "4", "WdelegGetattr")
	return nil
}

// addMethods adds a series for each field of a structure of counters. The methods'
// names as node_exporter publishes them are those of procfs' fields; those in
// without it does not publish.
func addMethods(s *family.Series, proto string, counters any, without ...string) {
	v := reflect.ValueOf(counters)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; !slices.Contains(without, name) {
			s.Add(float64(v.Field(i).Uint()), proto, name)
		}
	}
}
