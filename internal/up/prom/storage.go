package prom

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
)

const (
	// walSegmentSize is a quarter of Prometheus' default. The WAL is cut by whole
	// segments, and a node writes a few MB an hour, so that large ones would be
	// kept, and replayed at every start, for long after their samples are in
	// blocks.
	walSegmentSize = 32 << 20

	// chunkSegmentSize bounds the files of a block's chunks. Each is allocated
	// whole while a block is written, and the default (512 MB) may be more than a
	// node's volume has left for a block of some MB.
	chunkSegmentSize = 32 << 20

	// stripeSize is the number of locks of the head's series map. The default
	// (16384) is for millions of series; a node has thousands.
	stripeSize = 1 << 10

	// walReplayConcurrency bounds the buffers of the replay at start, which
	// otherwise grow with the machine's processors.
	walReplayConcurrency = 2

	maxMinBlock = 2 * time.Hour       // Prometheus' block of the head
	maxMaxBlock = 31 * 24 * time.Hour // Prometheus' limit of compacted blocks
)

// storage is the TSDB and the lock on its directory.
type storage struct {
	*tsdb.DB
	stats *tsdb.DBStats
	lock  *os.File
}

// openStorage opens or creates the TSDB in dir and replays its WAL.
func openStorage(dir string, retention time.Duration, reg prometheus.Registerer, log *slog.Logger) (*storage, error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &storage{stats: tsdb.NewDBStats(), lock: lock}
	s.DB, err = tsdb.Open(dir, log.With("component", "tsdb"), reg, storageOptions(retention), s.stats)
	if err == nil {
		return s, nil
	}
	lock.Close()
	// The TSDB's own lock file: a Prometheus has the directory.
	if errors.Is(err, syscall.EAGAIN) {
		return nil, inUse(dir)
	}
	return nil, fmt.Errorf("open the TSDB in data directory %s: %w", dir, err)
}

// lockDir creates dir if need be and takes a lock on it.
//
// The TSDB has a lock file, but clears the directory of temporary blocks before
// it takes that lock, which would be a running process' compaction. Therefore the
// directory itself is locked first, and no file is left by that.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be created: %w", dir, err)
	}
	const writeAndSearch = 2 | 1 // W_OK | X_OK of access(2)
	if err := syscall.Access(dir, writeAndSearch); err != nil {
		return nil, fmt.Errorf("data directory %s is not writable for this user: %w", dir, err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory %s cannot be opened: %w", dir, err)
	}
	// File systems without flock are left to the TSDB's own lock.
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, inUse(dir)
	}
	return f, nil
}

func inUse(dir string) error {
	return fmt.Errorf("data directory %s is in use: another loadline is running on it; stop that one or choose another directory", dir)
}

func storageOptions(retention time.Duration) *tsdb.Options {
	minBlock, maxBlock := blockDurations(retention)
	o := tsdb.DefaultOptions()
	o.RetentionDuration = retention.Milliseconds()
	o.MinBlockDuration = minBlock.Milliseconds()
	o.MaxBlockDuration = maxBlock.Milliseconds()
	o.WALCompression = compression.Snappy
	o.WALSegmentSize = walSegmentSize
	o.MaxBlockChunkSegmentSize = chunkSegmentSize
	o.WALReplayConcurrency = walReplayConcurrency
	o.StripeSize = stripeSize
	return o
}

// blockDurations returns the span of the blocks that the head is cut into, and
// of the largest that these are compacted to.
//
// A block is deleted when all of it is older, by the retention, than the end of
// the newest block, and the head grows to one and a half blocks before it is
// cut. So samples are on disk for up to retention + minBlock*3/2 + maxBlock. The
// two hours of Prometheus are a quarter of eight; for a shorter retention blocks
// shrink with it, so that at most 1.625 times the retention is kept.
func blockDurations(retention time.Duration) (minBlock, maxBlock time.Duration) {
	minBlock = min(retention/4, maxMinBlock).Truncate(time.Minute)
	maxBlock = min(retention/10, maxMaxBlock)
	return minBlock, max(minBlock, maxBlock)
}

// Close closes the TSDB, then lets go of the directory.
func (s *storage) Close() error {
	err := s.DB.Close()
	return errors.Join(err, s.lock.Close())
}

// The methods below complete v1.TSDBAdminStats. Of its administration the API
// uses nothing, because that is switched off.

// Stats describes the head by its largest names and labels.
func (s *storage) Stats(statsByLabelName string, limit int) (*tsdb.Stats, error) {
	return s.Head().Stats(statsByLabelName, limit), nil
}

// WALReplayStatus is always that of a finished replay: Open waits for it.
func (s *storage) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return s.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

// BlockMetas lists the blocks on disk.
func (s *storage) BlockMetas() ([]tsdb.BlockMeta, error) {
	return s.DB.BlockMetas(), nil
}
