// Paths that lead out of the data directory
// expect: says refused or kept inside: all

const secret = env.SECRET;
const paths = [
  secret, "../secret.txt", "a/../../secret.txt", "..", "/", "./../secret.txt", "a/b/../../../secret.txt", "link/../../secret.txt",
  "..\\secret.txt", "%2e%2e/secret.txt", "\u0000", "secret.txt\u0000.js", "....//secret.txt", "/proc/self/environ", "/etc/passwd",
  "a/" + "../".repeat(50) + "etc/passwd", "outside/secret.txt", "outside", "/dev/zero", "//" + secret,
];

function tried(call) {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function onItemCaptured(data) {
  if (data.index !== 1) return;
  tried(() => file.mkdir("a"));
  tried(() => file.mkdir("a/b"));
  for (const path of paths) {
    tried(() => file.append(path, "REACHED"));
    tried(() => file.write(path, "REACHED"));
    tried(() => file.copy(path, "copy.txt"));
    tried(() => file.move(path, "moved.txt"));
    tried(() => file.mkdir(path + "/reached"));
    tried(() => file.mkdirTemp("REACHED", path));
    tried(() => file.temp("REACHED", path, "txt"));
    tried(() => file.temp(path, "", path));
    tried(() => file.tar(path));
    tried(() => file.write("own.txt", "x"));
    tried(() => file.move("own.txt", path));
    tried(() => file.copy("own.txt", path));
    tried(() => pcap.path(path));
    tried(() => pcap.snapshot([path], path));
    tried(() => vendor.slackBot("t", "c", "p", "m", "#fff", {}, { name: path }));
    tried(() => vendor.s3.put("bucket", path, "region", "k", "s"));
    tried(() => file.delete(path));
  }
  console.log("refused or kept inside: all");
}
