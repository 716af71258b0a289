package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// The families of collector ipvs: /proc/net/ip_vs_stats and ip_vs.
var (
	NodeIPVSConnections     = nodeCounter("ipvs", "node_ipvs_connections_total", "", "Connections made through IPVS.")
	NodeIPVSIncomingPackets = nodeCounter("ipvs", "node_ipvs_incoming_packets_total", "", "Packets from clients.")
	NodeIPVSOutgoingPackets = nodeCounter("ipvs", "node_ipvs_outgoing_packets_total", "", "Packets to clients.")
	NodeIPVSIncomingBytes   = nodeCounter("ipvs", "node_ipvs_incoming_bytes_total", "bytes", "Bytes from clients.")
	NodeIPVSOutgoingBytes   = nodeCounter("ipvs", "node_ipvs_outgoing_bytes_total", "bytes", "Bytes to clients.")
	NodeIPVSBackendActive   = nodeGauge("ipvs", "node_ipvs_backend_connections_active", "",
		"Established connections to a backend.", IPVSBackendLabels()...)
	NodeIPVSBackendInactive = nodeGauge("ipvs", "node_ipvs_backend_connections_inactive", "",
		"Connections to a backend that are not established.", IPVSBackendLabels()...)
	NodeIPVSBackendWeight = nodeGauge("ipvs", "node_ipvs_backend_weight", "",
		"Weight of a backend.", IPVSBackendLabels()...)
)

// IPVSBackendLabels are the labels of a backend. Those that
// --collector.ipvs.backend-labels leaves out are empty.
func IPVSBackendLabels() []string {
	return []string{"local_address", "local_port", "remote_address", "remote_port", "proto", "local_mark"}
}

// The families of collector nfs: this node as a client, /proc/net/rpc/nfs.
var (
	NodeNFSPackets = nodeCounter("nfs", "node_nfs_packets_total", "",
		"Packets of NFS by transport.", "protocol")
	NodeNFSConnections = nodeCounter("nfs", "node_nfs_connections_total", "",
		"TCP connections of NFS.")
	NodeNFSRPCs = nodeCounter("nfs", "node_nfs_rpcs_total", "",
		"Calls to NFS servers.")
	NodeNFSRetransmissions = nodeCounter("nfs", "node_nfs_rpc_retransmissions_total", "",
		"Calls to NFS servers that were sent again.")
	NodeNFSAuthRefreshes = nodeCounter("nfs", "node_nfs_rpc_authentication_refreshes_total", "",
		"Times that credentials for NFS servers were refreshed.")
	NodeNFSRequests = nodeCounter("nfs", "node_nfs_requests_total", "",
		"Requests to NFS servers, by version of the protocol and method.", "proto", "method")
)

// The families of collector nfsd: this node as a server, /proc/net/rpc/nfsd.
var (
	NodeNFSDReplyCacheHits = nodeCounter("nfsd", "node_nfsd_reply_cache_hits_total", "",
		"Requests answered from the reply cache: the client had lost the answer.")
	NodeNFSDReplyCacheMisses = nodeCounter("nfsd", "node_nfsd_reply_cache_misses_total", "",
		"Requests whose answers went into the reply cache.")
	NodeNFSDReplyCacheNoCache = nodeCounter("nfsd", "node_nfsd_reply_cache_nocache_total", "",
		"Requests that need no reply cache.")
	NodeNFSDStaleHandles = nodeCounter("nfsd", "node_nfsd_file_handles_stale_total", "",
		"Requests with a stale file handle.")
	NodeNFSDBytesRead = nodeCounter("nfsd", "node_nfsd_disk_bytes_read_total", "",
		"Bytes that clients read.")
	NodeNFSDBytesWritten = nodeCounter("nfsd", "node_nfsd_disk_bytes_written_total", "",
		"Bytes that clients wrote.")
	NodeNFSDThreads = nodeGauge("nfsd", "node_nfsd_server_threads", "",
		"Threads of the NFS server.")
	NodeNFSDReadAheadSize = nodeGauge("nfsd", "node_nfsd_read_ahead_cache_size_blocks", "",
		"Size of the read-ahead cache in blocks; 0 since Linux 5.4.")
	NodeNFSDReadAheadNotFound = nodeCounter("nfsd", "node_nfsd_read_ahead_cache_not_found_total", "",
		"Reads that the read-ahead cache did not have.")
	NodeNFSDPackets = nodeCounter("nfsd", "node_nfsd_packets_total", "",
		"Packets of the NFS server by transport.", "proto")
	NodeNFSDConnections = nodeCounter("nfsd", "node_nfsd_connections_total", "",
		"TCP connections of the NFS server.")
	NodeNFSDRPCErrors = nodeCounter("nfsd", "node_nfsd_rpc_errors_total", "",
		"Calls of the NFS server that were bad, by what was wrong.", "error")
	NodeNFSDRPCs = nodeCounter("nfsd", "node_nfsd_server_rpcs_total", "",
		"Calls of the NFS server.")
	NodeNFSDRequests = nodeCounter("nfsd", "node_nfsd_requests_total", "",
		"Requests to the NFS server, by version of the protocol and method.", "proto", "method")
)

func serviceTable() family.Table {
	return family.Table{
		NodeIPVSConnections, NodeIPVSIncomingPackets, NodeIPVSOutgoingPackets, NodeIPVSIncomingBytes, NodeIPVSOutgoingBytes,
		NodeIPVSBackendActive, NodeIPVSBackendInactive, NodeIPVSBackendWeight,
		NodeNFSPackets, NodeNFSConnections, NodeNFSRPCs, NodeNFSRetransmissions, NodeNFSAuthRefreshes, NodeNFSRequests,
		NodeNFSDReplyCacheHits, NodeNFSDReplyCacheMisses, NodeNFSDReplyCacheNoCache, NodeNFSDStaleHandles,
		NodeNFSDBytesRead, NodeNFSDBytesWritten, NodeNFSDThreads, NodeNFSDReadAheadSize, NodeNFSDReadAheadNotFound,
		NodeNFSDPackets, NodeNFSDConnections, NodeNFSDRPCErrors, NodeNFSDRPCs, NodeNFSDRequests,
	}
}
