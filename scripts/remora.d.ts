// Type definitions for scripts: the hooks, the helpers, and what they are given. For editors; the agent does not read them.
//
// In a folder with a copy of this file, of remora-protocols.d.ts and of jsconfig.json, editors complete and check every script.
// Elsewhere, a script asks for this file below its title, after an empty line; the other must be beside it:
//
//     // Count errors by path
//
//     // @ts-check
//     /// <reference path="remora.d.ts" />
//
// Hooks say what they are given by a comment: /** @param {Item} data */ for items of HTTP, {RedisItem}, {KafkaItem} and so on for
// those of other protocols, {AnyItem} for several. Whatever the comment says, hooks are called for items of all protocols;
// remora-protocols.d.ts, which declares these, says how to tell them apart. The pages are in docs/scripting/.
//
// The form of this file, which a test of the agent compares with what scripts really find: one declaration a line.
//
//     interface Name {                      begins a group of members, a line with a closing brace alone ends it
//       name(arg: Type, arg?: Type): Type;  a function; a "?" before the parenthesis says that it may be missing
//       readonly name: Type;                an object of further members, or a value
//     }
//     declare var name: Name;               a global object
//     type Name = Type;                     a name for a type
//
// Members are indented by two spaces, comments are lines of their own. A function may have a type parameter, `name<T>(...)`,
// and its last argument may be `...rest: Type[]`. Arguments are in the order of the real function; where that also understands
// an older order, there may be more of them in it.

/// <reference path="remora-protocols.d.ts" />

// === hooks ===

/**
 * Functions that the agent calls where a script has them under these names. All are optional, and may be `async`. An exception
 * prints a line, and the script goes on with the next event.
 */
interface Hooks {
  /**
   * For every packet. There may be hundreds of thousands in a second: count here, and do the rest elsewhere.
   *
   * @example
   * let bytes = 0;
   *
   * function onPacketCaptured(info) {
   *   bytes += info.length;
   * }
   */
  onPacketCaptured?(info: PacketInfo): void | Promise<void>;
  /**
   * For every item: a request with its response, or a single message. What it returns does not matter.
   *
   * @example
   * function onItemCaptured(data) {
   *   if (data.response && data.response.status >= 500) console.error(data.request?.path);
   * }
   */
  onItemCaptured?(data: Item): unknown;
  /**
   * For every item that is about to be shown, with the filter (KFL) it is shown by, "" for none. An object that is returned is
   * shown in the item's place; the item itself stays as it is. Of several scripts' objects the last script's counts.
   *
   * @example
   * function onItemQueried(data) {
   *   return data.response?.status === 200 ? test.pass(data) : test.fail(data);
   * }
   */
  onItemQueried?(data: Item, filter: string): object | void | Promise<object | void>;
  /** When a job of any script has returned. `tag` is in its short form, `limit` 0 for none. */
  onJobPassed?(tag: string, cron: string, limit: number): void | Promise<void>;
  /** When a job of any script has thrown, or was ended at a limit. `err` is the text of the error. */
  onJobFailed?(tag: string, cron: string, limit: number, err: string): void | Promise<void>;
}

/** What `onPacketCaptured` is given. */
interface PacketInfo {
  /** Time of capture: RFC 3339, UTC, nanoseconds. */
  timestamp: string;
  /** Bytes captured. */
  captureLength: number;
  /** Bytes on the wire. */
  length: number;
  /** Fewer bytes were captured than the wire carried. */
  truncated: boolean;
  /** An IP fragment whose datagram is not complete yet. */
  fragmented: boolean;
}

// === items ===

/**
 * What `onItemCaptured` and `onItemQueried` are given. Reading a few fields is cheap; listing, adding or deleting fields builds
 * the whole object first. Names of Go work as well (`data.Request.Path`, `data.Source.IP`), but are not declared here. Items of
 * other protocols are `RedisItem`, `KafkaItem` and so on, of any `AnyItem`: see remora-protocols.d.ts.
 */
type Item = HttpItem;

/** What items of all protocols have. */
interface ItemBase {
  /** `<worker>/<stream>-<index>`, unique on an agent. */
  id: string;
  /** Position among the stream's items, from 0. */
  index: number;
  /** The conversation, as the name of its pcap: `000000025258.pcap`. For `pcap.path` and `pcap.snapshot`. */
  stream: string;
  /** `ip:port` of the agent. */
  worker: string;
  /** The node that captured it. */
  node: ItemNode;
  /** What kind of item it is. */
  protocol: Protocol;
  /** The row that lists show of it. */
  base: ItemRow;
  /** The plain text of an encrypted conversation. */
  tls: boolean;
  /** The client. */
  src: Endpoint;
  /** The server. */
  dst: Endpoint;
  /** Of older items; empty. The namespaces are in `src` and `dst`. */
  namespace: string;
  /** Of older items; false. */
  outgoing: boolean;
  /** Time of the request, Unix time in milliseconds. */
  timestamp: number;
  /** Time of the request: RFC 3339, UTC, nanoseconds. */
  startTime: string;
  /** Milliseconds from the request's first byte to the response's, with decimals. */
  elapsedTime: number;
  /** Captured bytes of the request, heads and framing included. */
  requestSize: number;
  /** Captured bytes of the response, heads and framing included. */
  responseSize: number;
  /** `requestSize` and `responseSize` together. */
  size: number;
  /** Marked by `test.pass`. */
  passed: boolean;
  /** Marked by `test.fail`. */
  failed: boolean;
  /** What went wrong on the wire or in the dissection; null if nothing did. */
  error: ItemError | null;
  /** Bytes known to be missing; null if none are. */
  gap: ItemGap | null;
  /** Name of the item's file in Kubeshark's form. */
  entryFile: string;
  /** Name of the recording; empty. */
  record: string;
  /** Null: there are no event items. */
  event: null;
  /** Where the packets came from. */
  capture: ItemCapture;
  /** Id of the item this one repeats; empty. */
  duplicate: string;
}

/** What lists show of an item, and the filters that select items with the same. */
interface ItemRow {
  /** What was asked: a verb, a command, a message type. */
  method: string;
  /** `request.method == "GET"`; empty where nothing selects it. */
  methodQuery: string;
  /** What it was about: a path, a key, a name. */
  summary: string;
  /** The same for `summary`. */
  summaryQuery: string;
  /** The code answered; 0 where the protocol has none or calls success so, 1 for an error whose code is a text. */
  status: number;
  /** The same for `status`. */
  statusQuery: string;
}

/** A node of the cluster. */
interface ItemNode {
  /** Its address. */
  ip: string;
  /** Its name. */
  name: string;
}

/** One end of a conversation. */
interface Endpoint {
  /** Its address. */
  ip: string;
  /** Its port; a string. */
  port: string;
  /** Name of its service or pod; empty where it is not known. */
  name: string;
  /** Its namespace; empty where it is not known. */
  namespace: string;
  /** Its pod as Kubernetes describes it, where that is known. */
  pod: KubernetesObject | null;
  /** Its endpoints as Kubernetes describes them, where those are known. */
  endpointSlice: KubernetesObject | null;
  /** Its service as Kubernetes describes it, where that is known. */
  service: KubernetesObject | null;
}

/** An object of Kubernetes' API. */
interface KubernetesObject {
  /** Name, namespace, labels. */
  metadata: KubernetesMetadata;
  /** Whatever else its kind has. */
  [field: string]: any;
}

/** The metadata of an object of Kubernetes' API. */
interface KubernetesMetadata {
  /** Its name. */
  name: string;
  /** Its namespace. */
  namespace?: string;
  /** Its labels. */
  labels?: StringMap;
  /** Its annotations. */
  annotations?: StringMap;
  /** Whatever else there is. */
  [field: string]: any;
}

/** A protocol as items name it. */
interface Protocol {
  /** `http` for HTTP/1, HTTP/2, gRPC and GraphQL; `abbr` tells them apart. `ws` for WebSocket, `tlsx` for TLS. */
  name: "amqp" | "cassandra" | "diameter" | "dns" | "http" | "icmp" | "kafka" | "ldap" | "memcached" | "mongodb" | "mqtt" | "mysql" | "nats" | "postgresql" | "quic" | "radius" | "redis" | "sctp" | "smtp" | "socks" | "tcp" | "tlsx" | "udp" | "ws" | (string & {});
  /** `1.0`, `1.1` of HTTP; `0-9-1`, `1-0` of AMQP; `text`, `binary` of memcached. */
  version: string;
  /** `HTTP`, `REDIS`. */
  abbr: "HTTP" | "HTTP/2" | "gRPC" | "GQL" | (string & {});
  /** `Hypertext Transfer Protocol -- HTTP/1.1`. */
  longName: string;
  /** Its word in KFL. */
  macro: string;
  /** For display: `#326de6`. */
  backgroundColor: string;
  /** For display: `#ffffff`. */
  foregroundColor: string;
  /** For display. */
  fontSize: number;
  /** Where it is specified. */
  referenceLink: string;
  /** Its usual ports; strings. */
  ports: string[];
  /** `ip`. */
  layer3: string;
  /** `tcp`, `udp`, `icmp` or `sctp`. */
  layer4: string;
  /** Order among the dissectors; lower is asked first. */
  priority: number;
}

/** What went wrong. */
interface ItemError {
  /** Which kind of thing. */
  type: "dissection" | "connection" | "timeout" | "pair-not-found";
  /** In words. */
  msg: string;
}

/** Bytes known to be missing. */
interface ItemGap {
  /** From the request. */
  request: number;
  /** From the response. */
  response: number;
}

/** Where packets came from. */
interface ItemCapture {
  /** How they were captured. */
  backend: "ebpf" | "pcap" | (string & {});
  /** The interface or the file. */
  source: string;
}

/** Names with texts. */
interface StringMap {
  [name: string]: string;
}

/** An item of HTTP. */
interface HttpItem extends ItemBase {
  /** Null where only the response was seen; `error.type` is `pair-not-found` then. Of what is no HTTP/2 it has `data` alone. */
  request: HttpRequest | null;
  /** Null where there was none. */
  response: HttpResponse | null;
}

/** A request of HTTP. */
interface HttpRequest {
  /** `GET`. */
  method: string;
  /** The request target as sent, with query, in whatever form. */
  url: string;
  /** The same as `url`. */
  targetUri: string;
  /** The path as sent, without query, still percent-encoded. */
  path: string;
  /** The pieces of the path between slashes. */
  pathSegments: string[];
  /** `HTTP/1.1`. */
  httpVersion: string;
  /** Names in canonical case (`Content-Type`); repeated fields are joined by `,`. */
  headers: StringMap;
  /** From `Cookie`; a repeated name joins its values by `,`. */
  cookies: StringMap;
  /** Decoded; a repeated name becomes a list. */
  queryString: QueryString;
  /** -1: not known. */
  headersSize: number;
  /** Bytes of the body as transferred, before content decoding. */
  bodySize: number;
  /** The body, where there is one. */
  postData?: HttpPostData;
  /** Trailer fields in the form of `headers`, where there are some. */
  trailers?: StringMap;
}

/** The parameters of a query. */
interface QueryString {
  [name: string]: string | string[];
}

/** The body of a request. */
interface HttpPostData {
  /** The header `Content-Type`. */
  mimeType: string;
  /** Fields of a form, or parts of a multipart body; at most 1,024. */
  params: HttpParam[];
  /** The decoded body as text; what is not UTF-8 is U+FFFD. */
  text: string;
}

/** A field of a form, or a part of a multipart body. */
interface HttpParam {
  /** Its name. */
  name: string;
  /** Its value. */
  value: string;
  /** Name of the file a part holds; empty where it holds none. */
  fileName: string;
  /** Type of a part; empty where it does not say. */
  contentType: string;
}

/** A response of HTTP. */
interface HttpResponse {
  /** `HTTP/1.1`. */
  httpVersion: string;
  /** Three digits: 200. */
  status: number;
  /** `Not Found`. */
  statusText: string;
  /** Names in canonical case (`Content-Type`); repeated fields are joined by `,`. */
  headers: StringMap;
  /** From `Set-Cookie`; a repeated name joins its values by `,`. */
  cookies: StringMap;
  /** -1: not known. */
  headersSize: number;
  /** Bytes of the body as transferred, before content decoding. */
  bodySize: number;
  /** The header `Location`; empty where there is none. */
  redirectURL: string;
  /** The body. */
  content: HttpContent;
  /** Trailer fields in the form of `headers`, where there are some. */
  trailers?: StringMap;
}

/** The body of a response. */
interface HttpContent {
  /** Bytes of the decoded body. */
  size: number;
  /** The header `Content-Type`. */
  mimeType: string;
  /** How `text` is encoded. */
  encoding: "base64";
  /** The decoded body in base64, where there is one. */
  text?: string;
}

// === arguments ===

/** What helpers take for a text: an object becomes its JSON, anything else what `String()` makes of it. */
type TextLike = string | number | boolean | bigint | object | null | undefined;

/** Names with texts. Names whose value is null or undefined are left out. */
interface TextMap {
  readonly [name: string]: TextLike;
}

// === console, test ===

/** Lines on the console: `docs/scripting/console.md`. */
interface Console {
  /**
   * Prints `String()` of each value, joined by spaces. Objects print as `[object Object]`: use `JSON.stringify`.
   *
   * @example
   * console.log("status", data.response?.status);
   */
  log(...values: unknown[]): void;
  /** As `log`, as a line about an error. */
  error(...values: unknown[]): void;
  /** Tells consoles to forget the lines that this script has printed so far. */
  clear(): void;
}

/** Marks for items: `docs/scripting/test.md`. */
interface TestHelpers {
  /**
   * Sets `passed` to true and returns the object. The object of the running hook marks its item.
   *
   * @example
   * return test.pass(data);
   */
  pass<T>(data: T): T;
  /** Sets `failed` to true and returns the object. `remora replay` exits with 1 when an item failed. */
  fail<T>(data: T): T;
}

// === vendor ===

/**
 * Other services: `docs/scripting/vendor.md`. Each waits for the answer, at most `scripting.limits.helperSeconds` (30), and throws
 * where there is none or it is an error.
 */
interface VendorHelpers {
  /**
   * Sends an HTTP request and returns the body of the answer, whatever its status. Sent once.
   *
   * @example
   * vendor.webhook("POST", url, JSON.stringify(data), { "Content-Type": "application/json" });
   */
  webhook(method: string, url: string, body?: TextLike, headers?: TextMap): string;
  /** As `webhook`, with a form as body (`application/x-www-form-urlencoded`). */
  webhookForm(method: string, url: string, form?: TextMap): string;
  /**
   * Posts a message through an incoming webhook of Slack. `color` is `#rrggbb`, `good`, `warning` or `danger`.
   *
   * @example
   * vendor.slack(url, "Server error", data.request?.path, "#ff0000");
   */
  slack(webhookUrl: string, pretext?: TextLike, text?: TextLike, color?: string): void;
  /**
   * Posts a message to a channel, with a bot token (`xoxb-...`), and shares files there. `fields` are titles with texts, `files`
   * names with paths in the data directory; at most 32.
   *
   * @example
   * vendor.slackBot(token, "C0123456789", "Server error", "See the capture.", "#ff0000", {}, { "a.pcap": pcap.path(data.stream) });
   */
  slackBot(token: string, channelID: string, pretext?: TextLike, text?: TextLike, color?: string, fields?: TextMap, files?: TextMap): void;
  /**
   * Writes one point with the time of now into InfluxDB 2 or later. `data` are the fields, of which there must be one.
   *
   * @example
   * vendor.influxdb("http://influxdb:8086", token, "org", "bucket", "requests", { count: 12, mean: 3.5 }, { node: utils.nodeName() });
   */
  influxdb(url: string, token: string | null | undefined, organization: string, bucket: string, measurement: string, data: object, tags?: TextMap): void;
  /**
   * Puts one document into an index of Elasticsearch and returns its id. Where there is a `cloudID`, `url` is not looked at.
   *
   * @example
   * vendor.elastic("https://elastic:9200", "items", { path: data.request?.path }, "elastic", password);
   */
  elastic(url: string | null | undefined, index: string, data: object, username?: string, password?: string, cloudID?: string, apiKey?: string, serviceToken?: string, certificateFingerprint?: string): string;
  /** Amazon S3, and what is compatible with it. */
  readonly s3: S3Helpers;
  /** Google Cloud Storage. */
  readonly gcs: GcsHelpers;
}

/** Amazon S3. Without keys, credentials come from the environment: a service account's role, the container, the instance. */
interface S3Helpers {
  /**
   * Uploads a file of the data directory as `<node name>_<node address>[_<run>]/<file name>` and returns its URL. Without
   * `region`, AWS_REGION of the agent's environment holds.
   *
   * @example
   * const url = vendor.s3.put("captures", pcap.snapshot(), "eu-west-3");
   */
  put(bucket: string, path: string, region?: string, keyID?: string, accessKey?: string): string;
  /** Deletes all objects of this node, of all its runs. */
  clear(region: string | null | undefined, keyID: string | null | undefined, accessKey: string | null | undefined, bucket: string): void;
}

/** Google Cloud Storage. `saKey` is the key of a service account, as Google gives it out: the object, or its JSON. */
interface GcsHelpers {
  /**
   * Uploads a file of the data directory as `<node name>_<node address>[_<run>]/<file name>` and returns its URL. Without
   * `saKey`, credentials come from the environment.
   *
   * @example
   * const url = vendor.gcs.put("captures", pcap.snapshot(), env.GCS_SA_KEY_JSON);
   */
  put(bucket: string, path: string, saKey?: object | string): string;
  /** Deletes all objects of this node, of all its runs. */
  clear(bucket: string, saKey?: object | string): void;
}

// === pcap, file ===

/** The captures of conversations: `docs/scripting/pcap.md`. */
interface PcapHelpers {
  /** What addresses were called, and since when: Unix seconds, then `ip` or `ip:port`, then the name. */
  nameResolutionHistory(): NameResolutionHistory;
  /**
   * Merges the captures of conversations, all of them or those named, or those in the folder `dir`, into one pcap in order of time.
   * Returns its path, `<unix seconds>.pcap`. Also called as `snapshot(dir)`.
   *
   * @example
   * const path = pcap.snapshot([data.stream]);
   */
  snapshot(selected?: readonly string[] | string | null, dir?: string): string;
  /** The path of a conversation's capture. Throws where there is none. */
  path(stream: string): string;
}

/** Unix seconds with what changed then. */
interface NameResolutionHistory {
  [seconds: string]: StringMap;
}

/** Files in the data directory: `docs/scripting/file.md`. Paths are relative to it, with `/`, and never lead out of it. */
interface FileHelpers {
  /**
   * Makes a file or replaces what is in it. Its folder must be there.
   *
   * @example
   * file.write("report.json", JSON.stringify(report));
   */
  write(path: string, content?: TextLike): void;
  /** Writes behind what is in the file; makes it if it is missing. */
  append(path: string, content?: TextLike): void;
  /** Gives a file or folder another place. Into a folder it goes under the name it has. */
  move(oldPath: string, newPath: string): void;
  /** Copies a file. Into a folder it goes under the name it has. */
  copy(srcPath: string, dstPath: string): void;
  /** Removes a file, or a folder with all that is in it. Nothing happens where there is none. */
  delete(path: string): void;
  /** Makes a folder and those it is in, as far as they are missing. */
  mkdir(path: string): void;
  /** Makes a new folder, named `name` with random digits behind, in the folder `dir`. Returns its path. */
  mkdirTemp(name?: string, dir?: string): string;
  /** Makes a new empty file, named `name` with random digits and `extension` (`txt`) behind, in the folder `dir`. Returns its path. */
  temp(name?: string, dir?: string, extension?: string): string;
  /** Packs what is below the folder into `kubeshark_<unix seconds>.tar.gz`. Returns its path. */
  tar(dir: string): string;
}

// === jobs ===

/** Functions that run by the clock: `docs/scripting/jobs.md`. */
interface JobsHelpers {
  /**
   * Runs `task(...values)` at the times of `cron`, which has six fields, the seconds first. `limit` is how often in all, 0 for
   * ever. A job with the same tag is replaced. Throws where `cron` or `tag` is wrong.
   *
   * @example
   * jobs.schedule("report", "@every 5m", report);
   */
  schedule<A extends unknown[]>(tag: string, cron: string, task: (...values: A) => unknown, limit?: number | null, ...values: A): void;
  /** Removes a job. Throws if there is none with that tag. */
  remove(tag: string): void;
  /** Removes all jobs of all scripts. */
  removeAll(): void;
  /** The tags of all jobs of all scripts. */
  list(): string[];
  /** Runs a job now, besides its times. Throws if there is none with that tag. */
  run(tag: string): void;
  /** Runs all jobs of all scripts now. */
  runAll(): void;
  /** The clock of all jobs. */
  readonly scheduler: JobSchedulerHelpers;
}

/** The clock of all jobs. */
interface JobSchedulerHelpers {
  /** Whether jobs run at their times. They do from the beginning. */
  isRunning(): boolean;
  /** They do again, each at its next time from now. */
  start(): void;
  /** From now on no job runs at its time, in any script. */
  stop(): void;
}

// === kfl, chatgpt, utils ===

/** The filter language of items: `docs/scripting/kfl.md`. */
interface KflHelpers {
  /**
   * Whether the item, or any other object, matches the query. Throws where the query is none.
   *
   * @example
   * if (kfl.match("http and response.status == 500", data)) count++;
   */
  match(query: string, data: unknown): boolean;
  /** Whether the text is a query. Prints what is wrong with it, unless `quiet`. */
  validate(query: string, quiet?: boolean): boolean;
}

/** A language model, and what a text feels like: `docs/scripting/chatgpt.md`. */
interface ChatgptHelpers {
  /**
   * Asks the model of the settings `scripting.chatgpt` and returns its answer. `maxTokens` is 1024 where absent. An empty `apiKey`
   * sends none.
   */
  prompt(apiKey: string, prompt: TextLike, maxTokens?: number): string;
  /** How negative, neutral and positive an English text is. */
  sentiment(text: TextLike): Sentiment;
}

/** What a text feels like. The first three add up to 1. */
interface Sentiment {
  /** 0 to 1. */
  neg: number;
  /** 0 to 1. */
  neu: number;
  /** 0 to 1. */
  pos: number;
  /** -1, most negative, to 1, most positive. */
  compound: number;
}

/** Odds and ends: `docs/scripting/utils.md`. */
interface UtilsHelpers {
  /** The name of the node that the script runs on. */
  nodeName(): string;
  /**
   * The YAML text of an object or of a JSON text.
   *
   * @example
   * console.log(utils.json2Yaml(JSON.stringify(data)));
   */
  json2Yaml(json: string | object): string;
}

// === prometheus ===

/** Numbers for Prometheus to collect: `docs/scripting/prometheus.md`. */
interface PrometheusHelpers {
  /** Sets a metric. `type` is 1 for a counter, 2 for a gauge, 3 for untyped. */
  metric(name: string, help: string, type: 1 | 2 | 3, value: number, labels?: TextMap): void;
  /**
   * Adds to a counter (`type` 1), or sets a gauge (2).
   *
   * @example
   * prometheus.vector("http_responses_total", "HTTP responses seen.", 1, 1, { status: data.response?.status });
   */
  vector(name: string, help: string, type: 1 | 2, value: number, labels?: TextMap): void;
}

// === wrapper ===

/** What is made of other helpers: `docs/scripting/wrapper.md`. */
interface WrapperHelpers {
  /** A new object with the numbers of both, added up key by key. */
  joinMaps(a: NumberMap, b: NumberMap | null | undefined): NumberMap;
  /** The text of a HAR 1.2 file with the HTTP items among `items`. */
  buildHAR(items: readonly ItemBase[]): string;
  /** Uploads one snapshot of all conversations to S3 and returns its URL. What is absent comes from `env`. */
  pcapSnapshot(region?: string, keyID?: string, accessKey?: string, bucket?: string): string;
  /**
   * Gathers the conversations whose items match queries, and uploads them to S3 from time to time. For `onItemCaptured`.
   *
   * @example
   * wrapper.kflPcapS3(data, { kflArr: ["http and response.status >= 500"], maxMinutes: 5 });
   */
  kflPcapS3(data: ItemBase, params: KflPcapS3Params): void;
}

/** Names with numbers. */
interface NumberMap {
  [name: string]: number;
}

/** Parameters of `wrapper.kflPcapS3`. */
interface KflPcapS3Params {
  /** Queries; each has an upload of its own. */
  kflArr: readonly string[];
  /** Default: `env.AWS_REGION`. */
  awsRegion?: string;
  /** Default: `env.AWS_ACCESS_KEY_ID`. */
  awsAccessKeyId?: string;
  /** Default: `env.AWS_SECRET_ACCESS_KEY`. */
  awsSecretAccessKey?: string;
  /** Default: `env.S3_BUCKET`. */
  s3Bucket?: string;
  /** Where to tell of uploads. Default: `env.SLACK_WEBHOOK`. */
  slackWebhook?: string;
  /** The same through a bot, with `slackChannelId`. Default: `env.SLACK_AUTH_TOKEN`. */
  slackAuthToken?: string;
  /** Default: `env.SLACK_CHANNEL_ID`. */
  slackChannelId?: string;
  /** False gathers nothing. Default: true. */
  active?: boolean;
  /** Prints every 30 seconds how many conversations there are. Default: false. */
  verbose?: boolean;
  /** Minutes after which a query's conversations are uploaded. Default: 60. */
  maxMinutes?: number;
  /** Number of conversations at which they are uploaded earlier. Default: 100,000. */
  maxL4Streams?: number;
}

// === globals ===

/** The values of `scripting.env` and `--env`. Each is also a global variable of its own name, unless that name is taken. */
interface Env {
  readonly [name: string]: string | undefined;
}

declare var console: Console;
declare var test: TestHelpers;
declare var vendor: VendorHelpers;
declare var pcap: PcapHelpers;
declare var file: FileHelpers;
declare var jobs: JobsHelpers;
declare var kfl: KflHelpers;
declare var chatgpt: ChatgptHelpers;
declare var env: Env;
declare var utils: UtilsHelpers;
declare var prometheus: PrometheusHelpers;
declare var wrapper: WrapperHelpers;
