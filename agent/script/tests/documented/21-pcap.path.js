// helpers: pcap.path
function onItemCaptured(data) {
  var pcapPath = pcap.path(data.stream);
}
