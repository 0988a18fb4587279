// helpers: pcap.nameResolutionHistory
var nameResolutionHistory = pcap.nameResolutionHistory();
