// Type definitions for scripts: what items of each protocol hold. remora.d.ts has what all items share, and the items of HTTP;
// it asks for this file, so a copy of the one needs a copy of the other.
//
// A hook that looks at items of one protocol says so: /** @param {RedisItem} data */. It is called for all items all the same,
// so it begins with `if (data.protocol.name !== "redis") return;`. One that looks at several takes {AnyItem} and narrows:
//
//     /**
//      * @param {AnyItem} data
//      * @returns {data is RedisItem}
//      */
//     function isRedis(data) {
//       return data.protocol.name === "redis";
//     }
//
// After `if (isRedis(data))` the item is one of Redis. Without a function, a comment says so: /** @type {RedisItem} */ (data).
//
// HttpItem is any item of HTTP, also of HTTP/2, gRPC and GraphQL.
//
// What is "?" is missing where it does not apply, where the connection was joined late, or where bytes are missing. Of requests
// all is, but for those of HTTP and of conversations: one that could not be read has nothing but `data`. Texts from the wire that
// are not UTF-8 are base64 or have U+FFFD. What a cap cut is marked by `truncated`, or by a count or size beside it. The pages are
// in docs/protocols/.
//
// The form is that of remora.d.ts, one declaration a line, and besides:
//
//     interface Name extends A, B {         members of A and B are Name's, too
//       name?: Type;                        a value; a "?" says that it may be missing
//       name: Type & { name: Type };        a value some of whose members are more exact
//       [name: string]: Type;               values under any other name; `${string}End` in the place of "string": under those
//
// A test of the agent holds all items of its captures against it, and looks for each name in the code.

/// <reference path="remora.d.ts" />

/** An item of any protocol. */
type AnyItem = HttpItem | Http2Item | GrpcItem | GraphqlItem | WebsocketItem | AmqpItem | Amqp1Item | CassandraItem | DiameterItem | DnsItem | DtlsItem | IcmpItem | KafkaItem | LdapItem | MemcachedItem | MongodbItem | MqttItem | MysqlItem | NatsItem | PostgresqlItem | QuicItem | RadiusItem | RedisItem | SctpItem | SmtpItem | SocksItem | TlsItem | TcpItem | UdpItem;

// === what protocols share ===

/** What bytes become that are no message of their protocol. */
interface Unread {
  /** The first 64 of bytes that could not be read, in base64. Nothing else is there then, and `error` says why. */
  data?: string;
}

/** A name with a value, where names may come more than once. */
interface NameValue {
  /** The name. */
  name: string;
  /** The value. */
  value: string;
}

/** Names with values of any kind. */
interface AnyMap {
  [name: string]: any;
}

// === http/2 ===

/** An item of HTTP/2: `data.protocol.abbr` is `HTTP/2`. */
interface Http2Item extends HttpItem {
  /** What tells it from other items of HTTP. */
  protocol: Protocol & { abbr: "HTTP/2" };
  /** Null where only the response was seen. */
  request: Http2Request | null;
}

/** A request of HTTP/2: `path` has the query, `headers` the pseudo-header fields, `postData.text` is base64. */
interface Http2Request extends HttpRequest, Unread {
  /** The server promised the stream. */
  pushed?: true;
}

// === grpc ===

/** An item of gRPC or gRPC-Web: `data.protocol.abbr` is `gRPC`. */
interface GrpcItem extends HttpItem {
  /** What tells it from other items of HTTP. */
  protocol: Protocol & { abbr: "gRPC" };
  /** Null where only the response was seen. */
  request: GrpcRequest | null;
  /** Null where there was none. */
  response: GrpcResponse | null;
}

/** A request of gRPC. */
interface GrpcRequest extends Http2Request {
  /** What it is as a call; missing where a proxy or a client sent something else. */
  grpc?: GrpcCall;
}

/** A response of gRPC. */
interface GrpcResponse extends HttpResponse {
  /** What it is as a call's end; missing where something else answered. */
  grpc?: GrpcResult;
}

/** What both sides of a call have. */
interface GrpcMessages {
  /** How messages are compressed: `gzip`. */
  encoding?: string;
  /** Number of whole messages. */
  count: number;
  /** Bytes or messages are missing, or beyond a cap. */
  truncated?: true;
  /** The first of the messages. */
  messages: GrpcMessage[];
}

/** The request of a call. */
interface GrpcCall extends GrpcMessages {
  /** The service, out of the path: `shop.v1.Shop`. */
  service?: string;
  /** The method, out of the path: `GetItem`. */
  method?: string;
}

/** The response of a call. */
interface GrpcResult extends GrpcMessages {
  /** The status code, 0 for success. */
  status?: number;
  /** Its name: `NOT_FOUND`. */
  statusName?: string;
  /** What the server says to it. */
  message?: string;
  /** `grpc-status-details-bin` by field number. */
  details?: AnyMap;
}

/** A message of a call. */
interface GrpcMessage {
  /** It was sent compressed. */
  compressed: boolean;
  /** Bytes as sent, without the five before it. */
  size: number;
  /** Bytes when decompressed. */
  decodedSize?: number;
  /** Its fields, by number, or by name where descriptor files are there. */
  protobuf?: AnyMap;
  /** What is no Protobuf: text, or base64. */
  data?: string;
  /** A cap cut it. */
  truncated?: true;
}

// === graphql ===

/** An item of GraphQL over HTTP: `data.protocol.abbr` is `GQL`. */
interface GraphqlItem extends HttpItem {
  /** What tells it from other items of HTTP. */
  protocol: Protocol & { abbr: "GQL" };
  /** Null where only the response was seen. */
  request: GraphqlRequest | null;
  /** Null where there was none. */
  response: GraphqlResponse | null;
}

/** A request of GraphQL. */
interface GraphqlRequest extends Http2Request {
  /** What it asks to run; a list for a batch. `[data.request?.graphql].flat()` is a list always. */
  graphql: GraphqlOperation | (GraphqlOperation | null)[] | null;
}

/** A response of GraphQL. */
interface GraphqlResponse extends HttpResponse {
  /** What came of it, where the response is JSON; a list for a batch. */
  graphql?: GraphqlResult | GraphqlResult[];
}

/** What a request asks to run. */
interface GraphqlOperation {
  /** As asked for, else the name of the document's only operation. */
  operationName: string | null;
  /** Of the operation that is run, where that can be told. */
  operationType?: "query" | "mutation" | "subscription";
  /** The document; missing where only its hash was sent. */
  query?: string;
  /** The hash of a persisted query. */
  persistedQuery?: string;
  /** As sent. */
  variables?: any;
  /** Names, not aliases, of the top-level fields of the operation that is run, fragments resolved. */
  fields?: string[];
  /** The document breaks somewhere. */
  syntaxError?: true;
  /** Names of all operations, where the document has several. */
  operations?: string[];
  /** A cap cut something. */
  truncated?: true;
}

/** What a response says. */
interface GraphqlResult {
  /** As sent; empty without any. */
  errors: GraphqlError[] | null;
  /** `data` is there and not null. */
  hasData: boolean;
  /** A cap cut something. */
  truncated?: true;
}

/** An error of GraphQL, as the server sends it. */
interface GraphqlError {
  /** In words. */
  message?: string;
  /** Places in the document. */
  locations?: GraphqlLocation[];
  /** The way to the field in the result. */
  path?: (string | number)[];
  /** Whatever else the server says. */
  [name: string]: any;
}

/** A place in a document. */
interface GraphqlLocation {
  /** From 1. */
  line?: number;
  /** From 1. */
  column?: number;
  /** Whatever else the server says. */
  [name: string]: any;
}

// === websocket ===

/** An item of WebSocket: a message, or a ping with its pong. */
interface WebsocketItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "ws" };
  /** The message. Null where a pong's ping may be missing. */
  request: WebsocketRequest | null;
  /** The pong to a ping; else null. */
  response: WebsocketResponse | null;
}

/** A message of WebSocket, from either side. */
interface WebsocketRequest extends Unread, WebsocketMessage {
  /** Kind of message. */
  opcode?: "text" | "binary" | "close" | "ping" | "pong" | "continuation";
}

/** A pong. */
interface WebsocketResponse extends WebsocketMessage {
  /** `pong`. */
  opcode: "pong";
}

/** What messages of WebSocket have. */
interface WebsocketMessage {
  /** Path of the handshake's request, without its query. */
  path?: string;
  /** `Host` of the handshake's request. */
  host?: string;
  /** `Sec-WebSocket-Protocol` that the server chose. */
  subprotocol?: string;
  /** Bytes of the whole payload, inflated where it could be. */
  payloadLength?: number;
  /** The payload without its mask, inflated; base64 where `encoding` says so. */
  payloadData?: string;
  /** How `payloadData` is encoded, where it is not text. */
  encoding?: "base64";
  /** RFC 6455, section 7.4; 1000 for a normal end. */
  closeCode?: number;
  /** What the sender says to `closeCode`. */
  closeReason?: string;
  /** `payloadData` is not all of it. */
  truncated?: true;
  /** The frames were masked, as a client's must be. */
  masked?: boolean;
  /** Number of frames. */
  fragments?: number;
  /** It was sent with permessage-deflate. */
  compressed?: boolean;
  /** Bytes of a compressed message as sent. */
  compressedLength?: number;
  /** What it says where the connection speaks GraphQL. */
  graphql?: WebsocketGraphql;
}

/** A message of GraphQL over WebSocket. */
interface WebsocketGraphql {
  /** `subscribe`, `next`, `error`, `complete`; of the older subprotocol `start`, `data`, `stop`. */
  type: string;
  /** Which operation it belongs to. */
  id?: string;
  /** Name of that operation. */
  operationName?: string | null;
  /** Kind of that operation. */
  operationType?: "query" | "mutation" | "subscription";
  /** The document. */
  query?: string;
  /** The hash of a persisted query. */
  persistedQuery?: string;
  /** As sent. */
  variables?: any;
  /** Names, not aliases, of the top-level fields of the operation, fragments resolved. */
  fields?: string[];
  /** The document breaks somewhere. */
  syntaxError?: true;
  /** Names of all operations, where the document has several. */
  operations?: string[];
  /** Of a result: as sent; empty without any. */
  errors?: GraphqlError[] | null;
  /** Of a result: `data` is there and not null. */
  hasData?: boolean;
  /** A cap cut something. */
  truncated?: true;
}

// === amqp ===

/** An item of AMQP 0-9-1: a method with its answer, or with the message that it carries. */
interface AmqpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "amqp"; version: "0-9-1" };
  /** The method. Null where only the answer was seen. */
  request: AmqpRequest | null;
  /** The answer; `{ method: "empty" }` to a method that wants none. Null where there was none. */
  response: AmqpResponse | null;
}

/** A method that asks for something, of either side. Further members are its arguments. */
interface AmqpRequest extends Unread, AmqpContent {
  /** Class and method in words: `queue declare`, `basic publish`. */
  method?: string;
  /** Of `connection start` and of a protocol header. */
  versionMajor?: number;
  /** Of `connection start` and of a protocol header. */
  versionMinor?: number;
  /** Of a protocol header. */
  protocolId?: number;
  /** Of a protocol header. */
  revision?: number;
  /** What the server says of itself. */
  serverProperties?: AnyMap;
  /** Ways to log in, separated by spaces. */
  mechanisms?: string;
  /** Languages, separated by spaces. */
  locales?: string;
  /** Of `connection secure`. */
  challenge?: string;
  /** Most channels of a connection; 0: no limit. */
  channelMax?: number;
  /** Most bytes of a frame; 0: no limit. */
  frameMax?: number;
  /** Seconds between heartbeats; 0: none. */
  heartbeat?: number;
  /** The virtual host. */
  virtualHost?: string;
  /** Why a connection is blocked, or a secret is changed. */
  reason?: string;
  /** `***`. */
  newSecret?: string;
  /** Of `channel flow`: whether the peer may send. */
  active?: boolean;
  /** Name of the exchange. */
  exchange?: string;
  /** Kind of exchange: `direct`, `fanout`, `topic`, `headers`. */
  type?: string;
  /** Only asks whether it is there. */
  passive?: boolean;
  /** It is there again after a restart. */
  durable?: boolean;
  /** It goes when nobody uses it any more. */
  autoDelete?: boolean;
  /** Only other exchanges may publish to it. */
  internal?: boolean;
  /** No answer is wanted. */
  noWait?: boolean;
  /** Further arguments: `x-message-ttl`. */
  arguments?: AnyMap;
  /** Only if nobody uses it. */
  ifUnused?: boolean;
  /** Only if it holds no messages. */
  ifEmpty?: boolean;
  /** Of a binding between exchanges: where messages go. */
  destination?: string;
  /** Of a binding between exchanges: where they come from. */
  source?: string;
  /** The routing key. */
  routingKey?: string;
  /** Name of the queue; empty: the server chooses, or the last one declared. */
  queue?: string;
  /** For one connection, or one consumer, alone. */
  exclusive?: boolean;
  /** Bytes that may be on the way without acknowledgement; 0: no limit. */
  prefetchSize?: number;
  /** Messages that may be on the way without acknowledgement; 0: no limit. */
  prefetchCount?: number;
  /** For the whole channel, not for each consumer. */
  global?: boolean;
  /** Which consumer. */
  consumerTag?: string;
  /** Not those that the same connection published. */
  noLocal?: boolean;
  /** Messages need no acknowledgement. */
  noAck?: boolean;
  /** The message comes back where no queue takes it. */
  mandatory?: boolean;
  /** The message comes back where no consumer takes it at once. */
  immediate?: boolean;
  /** Of `basic return`: the code. */
  replyCode?: number;
  /** Of `basic return` and of a close: in words. */
  replyText?: string;
  /** Of a close: the code, spelt so. */
  relyCode?: number;
  /** Of a close: class of the method that failed, 0 for none. */
  classId?: number;
  /** Of a close: number of the method that failed, 0 for none. */
  methodId?: number;
  /** Which delivery of the channel. */
  deliveryTag?: number;
  /** It was delivered before. */
  redelivered?: boolean;
  /** All deliveries up to `deliveryTag`. */
  multiple?: boolean;
  /** The message goes back into its queue. */
  requeue?: boolean;
}

/** An answer of either side. Further members are its arguments. */
interface AmqpResponse extends AmqpContent {
  /** Class and method in words: `queue declare-ok`; a close that refuses; `empty` where none is wanted. */
  method: string;
  /** Of a protocol header: what the server speaks. */
  protocolId?: number;
  /** Of a protocol header. */
  versionMajor?: number;
  /** Of a protocol header. */
  versionMinor?: number;
  /** Of a protocol header. */
  revision?: number;
  /** What the client says of itself. */
  clientProperties?: AnyMap;
  /** The way it logs in: `PLAIN`. */
  mechanism?: string;
  /** Who logs in, by `PLAIN` or `AMQPLAIN`. */
  user?: string;
  /** The secret, as `***`; empty where it is. */
  response?: string;
  /** The language. */
  locale?: string;
  /** Most channels of a connection; 0: no limit. */
  channelMax?: number;
  /** Most bytes of a frame; 0: no limit. */
  frameMax?: number;
  /** Seconds between heartbeats; 0: none. */
  heartbeat?: number;
  /** Of `channel flow-ok`: whether it sends. */
  active?: boolean;
  /** Name of the queue. */
  queue?: string;
  /** Messages in the queue, or those that were removed. */
  messageCount?: number;
  /** Consumers of the queue. */
  consumerCount?: number;
  /** Which consumer. */
  consumerTag?: string;
  /** Which delivery of the channel. */
  deliveryTag?: number;
  /** It was delivered before. */
  redelivered?: boolean;
  /** The exchange that the message was published to. */
  exchange?: string;
  /** The routing key that it was published with. */
  routingKey?: string;
  /** Of a close: the code, spelt so. */
  relyCode?: number;
  /** Of a close: in words. */
  replyText?: string;
  /** Of a close: class of the method that failed. */
  classId?: number;
  /** Of a close: number of the method that failed. */
  methodId?: number;
  /** The method was answered by a close. */
  error?: AmqpError;
}

/** The message that a method carries. */
interface AmqpContent {
  /** Those properties that are set. */
  properties?: AmqpProperties;
  /** Bytes of the body, as its header says. */
  bodySize?: number;
  /** The bodies of all frames, in base64. */
  body?: string;
  /** A cap was reached, or something is missing. */
  truncated?: true;
}

/** Properties of a message. */
interface AmqpProperties {
  /** MIME type of the body. */
  contentType?: string;
  /** How the body is encoded. */
  contentEncoding?: string;
  /** Headers of the application. */
  headers?: AnyMap;
  /** 2 where the message is kept on disk, 1 where it is not. */
  deliveryMode?: number;
  /** 0 to 9, or to 255. */
  priority?: number;
  /** What an answer repeats. */
  correlationId?: string;
  /** The queue for answers. */
  replyTo?: string;
  /** Milliseconds that it lives; a string. */
  expiration?: string;
  /** Its id. */
  messageId?: string;
  /** Seconds since 1970. */
  timestamp?: number;
  /** What kind of message it is. */
  type?: string;
  /** Who published it. */
  userId?: string;
  /** Which application published it. */
  appId?: string;
  /** Reserved. */
  clusterId?: string;
}

/** Why a method was refused. */
interface AmqpError {
  /** The code: 404. */
  code: number;
  /** In words. */
  text: string | null;
}

// === amqp 1.0 ===

/** An item of AMQP 1.0: a performative, some with the other side's. */
interface Amqp1Item extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "amqp"; version: "1-0" };
  /** The performative. Null where only the answer was seen. */
  request: Amqp1Request | null;
  /** The answer to `open`, `close`, `begin`, `attach` and SASL. Null where there was none, or none is wanted. */
  response: Amqp1Response | null;
}

/** A performative that asks, or stands alone, of either side. */
interface Amqp1Request extends Unread, Amqp1Fields {
  /** Its name: `transfer`, `sasl init`. */
  method?: string;
  /** Channel of its frame. */
  channel?: number;
}

/** A performative that answers. */
interface Amqp1Response extends Amqp1Fields {
  /** Its name: `attach`, `sasl outcome`. */
  method: string;
  /** Channel of its frame. */
  channel: number;
}

/** Fields of performatives, by the standard's types; the wire tells types itself, so a peer may send others. Null is left out. */
interface Amqp1Fields {
  /** Of `open`: the sender's name. */
  containerId?: string;
  /** Of `open` and `sasl init`: the host that is meant. */
  hostname?: string;
  /** Bytes of a frame. */
  maxFrameSize?: number;
  /** The highest channel. */
  channelMax?: number;
  /** Milliseconds without frames after which the connection is closed. */
  idleTimeOut?: number;
  /** Languages of what it sends. */
  outgoingLocales?: string | string[];
  /** Languages of what it would like to get. */
  incomingLocales?: string | string[];
  /** What it can do. */
  offeredCapabilities?: string | string[];
  /** What it would like the other side to do. */
  desiredCapabilities?: string | string[];
  /** Further properties. */
  properties?: AnyMap;
  /** Of `begin` that answers: the channel it answers. */
  remoteChannel?: number;
  /** Number of the transfer that is sent next. */
  nextOutgoingId?: number;
  /** Number of the transfer that is expected next. */
  nextIncomingId?: number;
  /** Transfers it can take. */
  incomingWindow?: number;
  /** Transfers it may send. */
  outgoingWindow?: number;
  /** The highest handle. */
  handleMax?: number;
  /** Of `attach`: the link. */
  name?: string;
  /** Number of the link. */
  handle?: number;
  /** True for the receiver. */
  role?: boolean;
  /** 0: unsettled, 1: settled, 2: mixed. */
  sndSettleMode?: number;
  /** 0: first, 1: second. */
  rcvSettleMode?: number;
  /** Where messages come from. */
  source?: AnyMap;
  /** Where messages go to. */
  target?: AnyMap;
  /** Deliveries that are not settled, with their states. */
  unsettled?: AnyMap;
  /** `unsettled` is not all of them. */
  incompleteUnsettled?: boolean;
  /** The sender's count of deliveries when it begins. */
  initialDeliveryCount?: number;
  /** Bytes of a message; 0: no limit. */
  maxMessageSize?: number;
  /** The sender's count of deliveries. */
  deliveryCount?: number;
  /** Messages that the receiver can take. */
  linkCredit?: number;
  /** Messages that wait at the sender. */
  available?: number;
  /** What credit is left is to be used up. */
  drain?: boolean;
  /** A `flow` is wanted in return. */
  echo?: boolean;
  /** Number of the delivery. */
  deliveryId?: number;
  /** Tag of the delivery, in base64. */
  deliveryTag?: string;
  /** 0 for the standard's. */
  messageFormat?: number;
  /** Nothing more comes of this delivery. */
  settled?: boolean;
  /** The message goes on in further frames. */
  more?: boolean;
  /** What became of the delivery; `type` says: `accepted`, `rejected`, `released`, `modified`, `received`. */
  state?: AnyMap;
  /** An earlier delivery goes on. */
  resume?: boolean;
  /** The message is given up. */
  aborted?: boolean;
  /** The answer may wait. */
  batchable?: boolean;
  /** Of `disposition`: the first delivery. */
  first?: number;
  /** Of `disposition`: the last delivery. */
  last?: number;
  /** Of `detach`: the link is gone for good. */
  closed?: boolean;
  /** Why it ends; of `sasl outcome` `code` and `text`. */
  error?: Amqp1Error;
  /** Ways to log in. */
  saslServerMechanisms?: string | string[];
  /** The way it logs in: `PLAIN`. */
  mechanism?: string;
  /** Who logs in, by `PLAIN`. */
  user?: string;
  /** `***`. */
  initialResponse?: string;
  /** Of `sasl challenge`. */
  challenge?: string;
  /** Of `sasl response`: `***`. */
  response?: string;
  /** Of `sasl outcome`: 0 for success. */
  code?: number;
  /** Of `sasl outcome`. */
  additionalData?: string;
  /** Of a protocol header, of a server that does not speak what was asked for. */
  protocolId?: number;
  /** Of a protocol header. */
  versionMajor?: number;
  /** Of a protocol header. */
  versionMinor?: number;
  /** Of a protocol header. */
  revision?: number;
  /** Of `transfer`: bytes behind the performative. */
  payloadSize?: number;
  /** Of `transfer`: the message, where one frame holds all of it. */
  message?: Amqp1Message;
  /** Of `transfer`: what the frame holds, in base64, where it is not a whole message. */
  payload?: string;
  /** A cap was reached, or a body came in several sections. */
  truncated?: true;
}

/** An error of the other side. */
interface Amqp1Error {
  /** `error`. */
  type?: string;
  /** Its name: `amqp:not-found`. */
  condition?: string;
  /** In words. */
  description?: string;
  /** More of it. */
  info?: AnyMap;
  /** Of `sasl outcome`: the code. */
  code?: number;
  /** Of `sasl outcome`: in words. */
  text?: string;
}

/** The sections of a message. */
interface Amqp1Message {
  /** `durable`, `priority`, `ttl` (milliseconds), `firstAcquirer`, `deliveryCount`. */
  header?: AnyMap;
  /** For the nodes it passes. */
  deliveryAnnotations?: AnyMap;
  /** For all nodes on its way. */
  messageAnnotations?: AnyMap;
  /** `messageId`, `to`, `subject`, `replyTo`, `correlationId`, `contentType` and others. */
  properties?: AnyMap;
  /** Those of the application. */
  applicationProperties?: AnyMap;
  /** A body of bytes, in base64. */
  data?: string;
  /** A body of a list. */
  sequence?: any[];
  /** A body of one value. */
  value?: any;
  /** What follows the body. */
  footer?: AnyMap;
}

// === cassandra ===

/** An item of Cassandra's CQL: a request with its response, or an event. */
interface CassandraItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "cassandra" };
  /** The request, or the event. Null where only the response was seen. */
  request: CassandraRequest | null;
  /** Null where there was none, and of events. */
  response: CassandraResponse | null;
}

/** A request, or an event of the server. */
interface CassandraRequest extends Unread, CassandraFlags {
  /** `QUERY`, `PREPARE`, `EXECUTE`, `BATCH`, `STARTUP`, `OPTIONS`, `REGISTER`, `AUTH_RESPONSE`; `EVENT`. */
  opcode?: string;
  /** Version of the protocol. */
  version?: number;
  /** Number that the response repeats. */
  stream?: number;
  /** Of `STARTUP`: `CQL_VERSION` and others. */
  options?: StringMap;
  /** `***`, or null. */
  token?: string | null;
  /** Bytes of the token. */
  tokenSize?: number;
  /** Of `REGISTER`: events that are wanted. */
  eventTypes?: string[];
  /** The text; of `EXECUTE` that of the prepared statement, where its preparation was seen. */
  query?: CassandraText;
  /** Of a prepared statement, hexadecimal. */
  id?: string;
  /** Of the columns that the client knows, hexadecimal. */
  resultMetadataId?: string;
  /** `QUORUM`; a number where it has no name. */
  consistency?: string | number;
  /** Of the Paxos part. */
  serialConsistency?: string | number;
  /** Values, shown or not. */
  valueCount?: number;
  /** By name where names are known, else a list; by type where that is known, else base64. */
  values?: AnyMap | any[];
  /** The response need not describe its columns. */
  skipMetadata?: true;
  /** Rows of a page. */
  pageSize?: number;
  /** Where the page begins, in base64. */
  pagingState?: CassandraText | null;
  /** Microseconds since 1970. */
  defaultTimestamp?: number;
  /** What the server is to take for now, seconds since 1970. */
  nowInSeconds?: number;
  /** Of the request, else the one that the connection uses. */
  keyspace?: string;
  /** Of `BATCH`: `LOGGED`, `UNLOGGED`, `COUNTER`. */
  batchType?: string | number;
  /** Of `BATCH`: statements, shown or not. */
  statementCount?: number;
  /** Of `BATCH`. */
  statements?: CassandraStatement[];
  /** Of an event: `TOPOLOGY_CHANGE`, `STATUS_CHANGE`, `SCHEMA_CHANGE`. */
  eventType?: string;
  /** Of an event: `UP`, `DOWN`, `NEW_NODE`, `CREATED`. */
  changeType?: string;
  /** Of an event: the node. */
  address?: string;
  /** Of an event: the node's port. */
  port?: number;
  /** Of a change of the schema: `KEYSPACE`, `TABLE`, `TYPE`, `FUNCTION`, `AGGREGATE`. */
  target?: string;
  /** Of a change of the schema: what is changed. */
  name?: string;
  /** Of a change of the schema: types of a function's arguments. */
  arguments?: string[];
}

/** A response. */
interface CassandraResponse extends CassandraFlags {
  /** `RESULT`, `ERROR`, `READY`, `SUPPORTED`, `AUTHENTICATE`, `AUTH_CHALLENGE`, `AUTH_SUCCESS`. */
  opcode?: string;
  /** Version of the protocol. */
  version: number;
  /** Number of the request. */
  stream: number;
  /** Of tracing, a UUID. */
  tracingId?: string;
  /** In words. */
  warnings?: string[];
  /** Of `SUPPORTED`: what there is to choose from. */
  options?: CassandraOptions;
  /** Of `AUTHENTICATE`: the server's class. */
  authenticator?: string;
  /** `***`, or null. */
  token?: string | null;
  /** Bytes of the token. */
  tokenSize?: number;
  /** Of `RESULT`. */
  kind?: "VOID" | "ROWS" | "SET_KEYSPACE" | "PREPARED" | "SCHEMA_CHANGE";
  /** Of `SET_KEYSPACE` and of a change of the schema. */
  keyspace?: string;
  /** Columns, shown or not. */
  columnCount?: number;
  /** From the response, or from the preparation. */
  columns?: CassandraColumn[];
  /** Rows, shown or not. */
  rowCount?: number;
  /** By the columns' names and types; missing where these are not known. */
  rows?: AnyMap[];
  /** Where the next page begins, in base64. */
  pagingState?: CassandraText | null;
  /** Of a prepared statement, hexadecimal. */
  id?: string;
  /** Of the columns, hexadecimal. */
  resultMetadataId?: string;
  /** Places of the variables that make up the partition key. */
  partitionKey?: number[];
  /** Variables, shown or not. */
  variableCount?: number;
  /** What a statement is executed with. */
  variables?: CassandraColumn[];
  /** Of a change of the schema: `CREATED`, `UPDATED`, `DROPPED`. */
  changeType?: string;
  /** Of a change of the schema: `KEYSPACE`, `TABLE`, `TYPE`, `FUNCTION`, `AGGREGATE`. */
  target?: string;
  /** Of a change of the schema: what is changed. */
  name?: string;
  /** Of a change of the schema: types of a function's arguments. */
  arguments?: string[];
  /** Of `ERROR`. */
  error?: CassandraError;
}

/** What the flags of a message bring along. */
interface CassandraFlags {
  /** Tracing is wanted, or was done. */
  tracing?: true;
  /** How the body was compressed, up to version 4. */
  compression?: "lz4" | "snappy";
  /** The body is compressed, and not all of it is there. */
  compressed?: true;
  /** Further values, in base64. */
  customPayload?: AnyMap;
  /** Bytes behind what was understood. */
  undecodedBytes?: number;
  /** A cap was reached, or something is missing. */
  truncated?: true;
}

/** A text, or an object where it is above the cap. */
type CassandraText = string | CassandraCut;

/** A value above the cap. */
interface CassandraCut {
  /** Its beginning. */
  value: string;
  /** Bytes of the whole. */
  size: number;
  /** It is cut. */
  truncated: true;
}

/** A statement of a batch. */
interface CassandraStatement {
  /** The text, where it is known. */
  query?: CassandraText;
  /** Of a prepared statement, hexadecimal. */
  id?: string;
  /** Values, shown or not. */
  valueCount?: number;
  /** By name where names are known, else a list. */
  values?: AnyMap | any[];
}

/** Names with what there is to choose from. */
interface CassandraOptions {
  [name: string]: string[];
}

/** A column, or a variable. */
interface CassandraColumn {
  /** Its keyspace. */
  keyspace?: string;
  /** Its table. */
  table?: string;
  /** Its name. */
  name: string;
  /** Its type: `map<varchar, double>`. */
  type: string;
}

/** What went wrong. Further members are what the code has. */
interface CassandraError {
  /** The code: 0x2200. */
  code?: number;
  /** Its name: `INVALID`. */
  name?: string;
  /** In words. */
  message?: CassandraText;
  /** That was asked for. */
  consistency?: string | number;
  /** Replicas that answered. */
  received?: number;
  /** Replicas that had to. */
  required?: number;
  /** Replicas that are there. */
  alive?: number;
  /** Replicas that failed. */
  failures?: number;
  /** Which ones failed, and why. */
  reasons?: CassandraReason[];
  /** `SIMPLE`, `BATCH`, `CAS`. */
  writeType?: string;
  /** The replica that was asked for data answered. */
  dataPresent?: boolean;
  /** Paxos rounds that were in the way. */
  contentions?: number;
  /** What is there already, or what fails. */
  keyspace?: string;
  /** What is there already. */
  table?: string;
  /** The function that fails. */
  function?: string;
  /** Types of its arguments. */
  arguments?: string[];
  /** The statement that is not prepared, hexadecimal. */
  id?: string;
}

/** Why a replica failed. */
interface CassandraReason {
  /** The replica. */
  address: string;
  /** The code. */
  reason: number;
}

// === diameter ===

/** An item of Diameter, over TCP or SCTP. */
interface DiameterItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "diameter" };
  /** Either peer asks. Null where only the answer was seen. */
  request: DiameterRequest | null;
  /** Null where there was none. */
  response: DiameterResponse | null;
}

/** A request. */
interface DiameterRequest extends Unread, DiameterMessage {
}

/** An answer. */
interface DiameterResponse extends DiameterMessage {
  /** Of `Result-Code` or `Experimental-Result`: 2001 for success. */
  resultCode?: number;
  /** Its name: `DIAMETER_SUCCESS`. */
  resultCodeName?: string;
}

/** What messages of Diameter have. */
interface DiameterMessage {
  /** Code of the command. */
  command?: number;
  /** Its name: `Credit-Control`; `Command-N` where it has none. */
  commandName?: string;
  /** Of the header. */
  flags?: DiameterFlags;
  /** Number of the application. */
  applicationId?: number;
  /** Its name, where it has one. */
  applicationName?: string;
  /** Number that the answer repeats, changed by agents. */
  hopByHopId?: number;
  /** Number that the answer repeats, from end to end. */
  endToEndId?: number;
  /** Of the AVP `Session-Id`. */
  sessionId?: string;
  /** Of the AVP `Origin-Host`. */
  originHost?: string;
  /** Of the AVP `Origin-Realm`. */
  originRealm?: string;
  /** Of the AVP `Destination-Host`. */
  destinationHost?: string;
  /** Of the AVP `Destination-Realm`. */
  destinationRealm?: string;
  /** Of the AVP `User-Name`. */
  userName?: string;
  /** AVPs of all levels, where not all are shown. */
  avpCount?: number;
  /** In the order sent. */
  avps?: DiameterAvp[];
}

/** Flags of a header. */
interface DiameterFlags {
  /** A request, not an answer. */
  request: boolean;
  /** Agents may pass it on. */
  proxiable: boolean;
  /** An answer that tells of an error of the protocol. */
  error: boolean;
  /** Perhaps sent before. */
  retransmitted: boolean;
}

/** An AVP. */
interface DiameterAvp {
  /** Its code. */
  code: number;
  /** Its name, where it has one. */
  name?: string;
  /** Number of the vendor whose it is. */
  vendorId?: number;
  /** Name of that vendor. */
  vendor?: string;
  /** Who does not know it must refuse. */
  mandatory: boolean;
  /** By its type: number or text, seconds since 1970 for a time, `***` for a secret; base64 where it does not fit. */
  value?: number | string;
  /** What the number stands for. */
  valueName?: string;
  /** Bytes of the value, where not all is shown. */
  size?: number;
  /** Of a group. */
  avps?: DiameterAvp[];
}

// === dns ===

/** An item of DNS, multicast DNS or LLMNR. */
interface DnsItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "dns" };
  /** The query, or a message that nobody is known to have asked for. Null where only the response was seen. */
  request: DnsRequest | null;
  /** Null where there was none. */
  response: DnsResponse | null;
}

/** A query. Sections with nothing in them are missing. */
interface DnsRequest extends Unread {
  /** `Query`, `Inverse Query`, `Status`, `Notify`, `Update`, `Stateful Operations`, `Unknown N`. */
  opCode?: string;
  /** What is asked. */
  questions?: DnsQuestion[];
  /** Records of the first section. */
  answers?: DnsRecord[];
  /** Records of the second section. */
  authorities?: DnsRecord[];
  /** Records of the third section. */
  additionals?: DnsRecord[];
  /** Number that the response repeats. */
  id?: number;
  /** Of the header. */
  flags?: DnsFlags;
  /** What the OPT record says. */
  edns?: DnsEdns;
  /** Where not all questions and records are shown. */
  counts?: DnsCounts;
}

/** A response. */
interface DnsResponse {
  /** `No Error`, `Non-Existent Domain`, with the eight bits of EDNS. */
  code: string;
  /** Null without any. */
  answers: DnsRecord[] | null;
  /** Null without any. */
  authorities: DnsRecord[] | null;
  /** Null without any. */
  additionals: DnsRecord[] | null;
  /** Number of the query. */
  id: number;
  /** `code` as a number: 0 for success, 3 for a name that does not exist. */
  rcode: number;
  /** Of the header. */
  flags: DnsFlags;
  /** What was asked. */
  questions: DnsQuestion[];
  /** What the OPT record says. */
  edns?: DnsEdns;
  /** Where not all questions and records are shown. */
  counts?: DnsCounts;
  /** Messages of a zone transfer, where there are several. */
  messages?: number;
}

/** A question. */
interface DnsQuestion {
  /** Its name, without the dot at its end; the root is `.`. */
  name: string;
  /** `A`, `AAAA`; `TYPE65400` where it has no name. */
  type: string;
  /** `IN`; `CLASS1232` where it has no name. */
  class: string;
  /** Of multicast DNS: the answer is wanted by unicast. */
  unicastResponse?: true;
}

/** Flags of a header. */
interface DnsFlags {
  /** A response, not a query. */
  response: boolean;
  /** Of a server that has the zone. */
  authoritative: boolean;
  /** The message did not fit. */
  truncated: boolean;
  /** The server is to ask others. */
  recursionDesired: boolean;
  /** The server would ask others. */
  recursionAvailable: boolean;
  /** The server has verified it. */
  authenticData: boolean;
  /** The server need not verify it. */
  checkingDisabled: boolean;
}

/** What an OPT record says. */
interface DnsEdns {
  /** 0. */
  version: number;
  /** Bytes of a datagram that the sender can take. */
  udpSize: number;
  /** DNSSEC's records are wanted. */
  dnssecOk: boolean;
  /** Further options. */
  options: DnsOption[];
}

/** An option of EDNS. */
interface DnsOption {
  /** Its number. */
  code?: number;
  /** Its name: `COOKIE`. */
  name?: string;
  /** It does not have the form that its number says. */
  malformed?: true;
  /** Of options not known or malformed: base64. Of `NSID` text. */
  data?: string;
  /** Numbers of algorithms or hashes. */
  algorithms?: number[];
  /** Of a client subnet: 1 for IPv4, 2 for IPv6. */
  family?: number;
  /** Of a client subnet. */
  address?: string;
  /** Of a client subnet: bits that are told. */
  sourcePrefix?: number;
  /** Of a client subnet: bits that the answer holds for. */
  scopePrefix?: number;
  /** Seconds until the zone expires. */
  seconds?: number;
  /** Of a cookie: the client's, hexadecimal. */
  client?: string;
  /** Of a cookie: the server's, hexadecimal. */
  server?: string;
  /** Milliseconds that a connection without traffic is kept. */
  timeoutMillis?: number;
  /** Bytes of padding. */
  length?: number;
  /** Name of the closest trust point. */
  closestTrustPoint?: string;
  /** Tags of trusted keys. */
  tags?: number[];
  /** Of an extended error: its code. */
  infoCode?: number;
  /** Of an extended error: its name. */
  info?: string;
  /** Of an extended error: in words. */
  text?: string;
  /** Name of the agent for reports. */
  agentDomain?: string;
}

/** How many questions and records there were. */
interface DnsCounts {
  /** Questions. */
  questions: number;
  /** Records of the first section. */
  answers: number;
  /** Records of the second section. */
  authorities: number;
  /** Records of the third section. */
  additionals: number;
}

/** A record. Texts of other types are empty; what only one type has is missing in others. */
interface DnsRecord {
  /** Its name, without the dot at its end; the root is `.`. */
  name: string;
  /** `A`, `AAAA`; `TYPE65400` where it has no name. */
  type: string;
  /** `IN`; `CLASS1232` where it has no name. */
  class: string;
  /** Seconds that it may be kept. */
  ttl: number;
  /** Of `A` and `AAAA`: the address. */
  ip: string;
  /** Of `NS`: a server's name. */
  ns: string;
  /** Of `CNAME`: the name that is meant. */
  cname: string;
  /** Of `PTR`: the name. */
  ptr: string;
  /** Of `TXT`: its strings joined. */
  txts: string;
  /** Of `SOA`: primary, mailbox, serial, refresh, retry, expire, minimum (seconds). */
  soa: string;
  /** Of `SRV`: priority, weight, port, name. */
  srv: string;
  /** Of `MX`: preference, name. */
  mx: string;
  /** Of `OPT`: version, size and options in a line. */
  opt: string;
  /** Of `URI`: priority, weight, target. */
  uri: string;
  /** Of multicast DNS: others that are kept no longer hold. */
  cacheFlush?: true;
  /** Of `TXT`: its strings, where there are several. */
  strings?: string[];
  /** Of types not known, or malformed: base64. */
  data?: string;
  /** Bytes of `data`, where not all is shown. */
  dataSize?: number;
  /** The data does not have the form of its type. */
  malformed?: true;
  /** What is only of one type, by the type's name in small letters: `https`, `caa`, `ds`, `rrsig`, `naptr`, `loc`. */
  [type: string]: any;
}

// === dtls ===

/** An item of DTLS: a handshake. */
interface DtlsItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "dtls" };
  /** The client's side. Null where only the server's was seen. */
  request: DtlsRequest | null;
  /** The server's side. Null where there was none. */
  response: DtlsResponse | null;
}

/** The client's side of a handshake over datagrams. */
interface DtlsRequest extends Unread, TlsClientHello {
  /** `Alert` where the hello was not seen. */
  type?: "ClientHello" | "Alert";
  /** By what the client wants to be called: hexadecimal, empty where it wants none. */
  connectionId?: string;
}

/** The server's side of a handshake over datagrams. */
interface DtlsResponse extends TlsServerHello {
  /** `HelloVerifyRequest` where the client did not come back with its cookie, `Alert` where there is no hello. */
  type: "ServerHello" | "HelloVerifyRequest" | "Alert";
  /** Up to 1.2: the server asked for a cookie. */
  helloVerifyRequest?: boolean;
  /** Bytes of the cookie, of a HelloVerifyRequest. */
  cookieSize?: number;
  /** By what the server wants to be called: hexadecimal, empty where it wants none. */
  connectionId?: string;
}

// === icmp ===

/** An item of ICMP or ICMPv6. */
interface IcmpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "icmp" };
  /** The message that asks, or stands alone. Null where only the reply was seen. */
  request: IcmpRequest | null;
  /** The reply. Null where there was none, or none is wanted. */
  response: IcmpResponse | null;
}

/** A message that asks, or stands alone. */
interface IcmpRequest extends IcmpMessage {
  /** Says more than `type`: of an unreachable destination 3 for the port, of ICMPv6 4. */
  code?: number;
  /** Its name, where it has one. */
  codeName?: string;
  /** Of errors: bytes of the largest packet that gets through, or of the link. */
  mtu?: number;
  /** Of a redirect: the better router. */
  gateway?: string;
  /** Of a parameter problem: the byte that it is about. */
  pointer?: number;
  /** Of errors: the packet that they are about. */
  quoted?: IcmpQuoted;
  /** Seconds that a router may be used. */
  lifetimeSeconds?: number;
  /** Of a router advertisement of IPv4. */
  routers?: IcmpRouter[];
  /** Of neighbour discovery: the address that it is about. */
  target?: string;
  /** Of a redirect: where the packets go. */
  destination?: string;
  /** Of neighbour discovery: the sender's MAC address. */
  sourceLinkAddress?: string;
  /** Of neighbour discovery: the target's MAC address. */
  targetLinkAddress?: string;
  /** Of a neighbour advertisement: the sender is a router. */
  router?: boolean;
  /** Of a neighbour advertisement: it was asked for. */
  solicited?: boolean;
  /** Of a neighbour advertisement: what is known of the target no longer holds. */
  override?: boolean;
  /** Of a router advertisement: hop limit for packets. */
  hopLimit?: number;
  /** Of a router advertisement: addresses by DHCPv6. */
  managed?: boolean;
  /** Of a router advertisement: other settings by DHCPv6. */
  otherConfiguration?: boolean;
  /** Of a router advertisement. */
  preference?: "low" | "medium" | "high" | "reserved";
  /** Of a router advertisement: milliseconds that a neighbour counts as reachable. */
  reachableMillis?: number;
  /** Of a router advertisement: milliseconds between solicitations. */
  retransmitMillis?: number;
  /** Of a router advertisement. */
  prefixes?: IcmpPrefix[];
  /** Of a router advertisement: addresses of DNS servers. */
  dnsServers?: string[];
  /** Of a multicast listener query: milliseconds to answer in. */
  maxResponseMillis?: number;
  /** Of multicast listeners: the group's address. */
  group?: string;
  /** Of a multicast listener query: sources, shown or not. */
  sourceCount?: number;
  /** Of a multicast listener query: addresses. */
  sources?: string[];
  /** Of a multicast listener report: records, shown or not. */
  recordCount?: number;
  /** Of a multicast listener report. */
  records?: IcmpGroupRecord[];
}

/** A reply. */
interface IcmpResponse extends IcmpMessage {
  /** 0; of an extended echo how it went. */
  code?: number;
  /** Its name, where it has one. */
  codeName?: string;
}

/** What messages of ICMP have. */
interface IcmpMessage {
  /** 4 for ICMP, 6 for ICMPv6. */
  version?: number;
  /** Its type. */
  type?: number;
  /** Name of its type: `Echo Request`. */
  typeName?: string;
  /** Bytes on the wire, without IP's header. */
  length?: number;
  /** Number of those that ask, which replies repeat. */
  id?: number;
  /** Number of the message, which replies repeat. */
  sequence?: number;
  /** Bytes that it carries. */
  dataSize?: number;
  /** The first 256 of them, in base64; of bytes that could not be read, the first 64. */
  data?: string;
  /** Of a timestamp: milliseconds since midnight UTC. */
  originateMillis?: number;
  /** Of a timestamp: milliseconds since midnight UTC. */
  receiveMillis?: number;
  /** Of a timestamp: milliseconds since midnight UTC. */
  transmitMillis?: number;
  /** Of an address mask. */
  mask?: string;
}

/** The packet that an error is about. */
interface IcmpQuoted {
  /** 4 or 6. */
  version: number;
  /** Bytes of the whole packet. */
  length: number;
  /** Of IPv4: its identification. */
  id?: number;
  /** Hops it had left. */
  ttl: number;
  /** What it carried: `udp`. */
  protocol: string;
  /** Its sender. */
  src: IcmpQuotedEnd;
  /** Where it was to go. */
  dst: IcmpQuotedEnd;
  /** Of ICMP: the message. */
  icmp?: IcmpQuotedMessage;
}

/** One end of a quoted packet. */
interface IcmpQuotedEnd {
  /** Its address. */
  ip: string;
  /** Its port; a string. */
  port?: string;
}

/** A message of ICMP that is quoted. */
interface IcmpQuotedMessage {
  /** Its type. */
  type: number;
  /** Name of its type. */
  typeName: string;
  /** Its code. */
  code: number;
  /** Of an echo. */
  id?: number;
  /** Of an echo. */
  sequence?: number;
}

/** A router that is advertised. */
interface IcmpRouter {
  /** Its address. */
  address: string;
  /** Higher is better. */
  preference: number;
}

/** A prefix that is advertised. */
interface IcmpPrefix {
  /** `2001:db8::/64`. */
  prefix: string;
  /** Its addresses are on the link. */
  onLink: boolean;
  /** Hosts may make addresses of it. */
  autonomous: boolean;
  /** Seconds that it holds. */
  validSeconds: number;
  /** Seconds that it is preferred. */
  preferredSeconds: number;
}

/** What a listener says of a group. */
interface IcmpGroupRecord {
  /** Its number. */
  type: number;
  /** Its name: `to exclude`. */
  typeName?: string;
  /** The group's address. */
  group: string;
  /** Sources, shown or not. */
  sourceCount: number;
  /** Addresses. */
  sources: string[];
}

// === kafka ===

/** An item of Kafka. */
interface KafkaItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "kafka" };
  /** Null where only the response was seen. */
  request: KafkaRequest | null;
  /** Null where there was none, and of a Produce request with `requiredAcks` 0. */
  response: KafkaResponse | null;
}

/** A request. */
interface KafkaRequest extends Unread {
  /** Bytes of the message, without its length field. */
  size?: number;
  /** `Produce`, `Fetch`; `SaslToken` for a token without header; `Unknown` for keys of the future. */
  apiKeyName?: string;
  /** Number of the API. */
  apiKey?: number;
  /** Version of the API's messages. */
  apiVersion?: number;
  /** Number that the response repeats. */
  correlationID?: number;
  /** The client's name. */
  clientID?: string | null;
  /** The version is newer than what is known; the body is not decoded. */
  unsupportedVersion?: true;
  /** The body, of APIs that are decoded: Produce, Fetch, ListOffsets, Metadata, ApiVersions, CreateTopics, DeleteTopics. */
  payload?: KafkaRequestBody;
  /** Bytes behind the body. */
  undecodedBytes?: number;
  /** Time of the first byte: RFC 3339. */
  captureTime?: string;
  /** A cap was reached, or bytes are missing. */
  truncated?: true;
}

/** A response. */
interface KafkaResponse {
  /** Bytes of the message, without its length field. */
  size?: number;
  /** Number of the request. */
  correlationID?: number;
  /** The first code in the body that is not 0; 0 where all are. Missing where that is not known. */
  errorCode?: number;
  /** Its name, where it is not 0. */
  errorName?: string;
  /** The body, of APIs that are decoded. */
  payload?: KafkaResponseBody;
  /** Bytes behind the body. */
  undecodedBytes?: number;
  /** Time of the first byte: RFC 3339. */
  captureTime: string;
  /** A cap was reached, or bytes are missing. */
  truncated?: true;
}

/** What tells of lists and texts above the caps. */
interface KafkaShortened {
  /** Entries of the list before it, where not all are shown: `topicsCount`. */
  [count: `${string}Count`]: number;
  /** Bytes of the text before it, where not all is shown: `topicLength`. */
  [length: `${string}Length`]: number;
}

/** The body of a request. What its API and version do not have is missing. */
interface KafkaRequestBody extends KafkaShortened {
  /** Produce: id of the transaction. */
  transactionalID?: string | null;
  /** Produce: 0 for no answer, 1 for the leader, -1 for all replicas. */
  requiredAcks?: number;
  /** Produce: milliseconds. */
  timeout?: number;
  /** Produce: the records by topic. */
  topicData?: KafkaTopicData[];
  /** Fetch: id of the cluster. */
  clusterID?: string | null;
  /** Fetch, ListOffsets: of the broker that asks; -1 for clients. */
  replicaId?: number;
  /** Fetch: the broker that asks. */
  replicaState?: KafkaReplicaState;
  /** Fetch: milliseconds. */
  maxWaitMs?: number;
  /** Fetch: bytes that are waited for. */
  minBytes?: number;
  /** Fetch: bytes of the response. */
  maxBytes?: number;
  /** Fetch, ListOffsets: 0 for uncommitted, 1 for committed. */
  isolationLevel?: number;
  /** Fetch: of a session; 0 for none. */
  sessionId?: number;
  /** Fetch: place in the session. */
  sessionEpoch?: number;
  /** Fetch, ListOffsets, Metadata, CreateTopics, DeleteTopics; of Metadata null for all. */
  topics?: KafkaRequestTopic[] | null;
  /** Fetch: what the session no longer asks for. */
  forgottenTopicsData?: KafkaForgottenTopic[];
  /** Fetch: where the client is. */
  rackId?: string;
  /** Metadata: topics that do not exist are made. */
  allowAutoTopicCreation?: boolean;
  /** Metadata. */
  includeClusterAuthorizedOperations?: boolean;
  /** Metadata. */
  includeTopicAuthorizedOperations?: boolean;
  /** ApiVersions: the client's software. */
  clientSoftwareName?: string;
  /** ApiVersions: its version. */
  clientSoftwareVersion?: string;
  /** DeleteTopics: by name, in older versions. */
  topicNames?: string[];
  /** ListOffsets, CreateTopics, DeleteTopics: milliseconds. */
  timeoutMs?: number;
  /** CreateTopics: nothing is made. */
  validateOnly?: boolean;
}

/** A topic that a request names. What its API and version do not have is missing. */
interface KafkaRequestTopic extends KafkaShortened {
  /** Fetch: its name. */
  topic?: string;
  /** ListOffsets, Metadata, CreateTopics, DeleteTopics: its name. */
  name?: string | null;
  /** Fetch: its id. */
  topicID?: KafkaUuid;
  /** Metadata, DeleteTopics: its id. */
  uuid?: KafkaUuid;
  /** Fetch, ListOffsets. */
  partitions?: KafkaRequestPartition[];
  /** CreateTopics: partitions; -1 for the default. */
  numPartitions?: number;
  /** CreateTopics: replicas; -1 for the default. */
  replicationFactor?: number;
  /** CreateTopics: replicas by partition. */
  assignments?: KafkaAssignment[];
  /** CreateTopics: its settings. */
  configs?: KafkaConfig[];
}

/** A partition that a request names. */
interface KafkaRequestPartition extends KafkaShortened {
  /** Fetch: its number. */
  partition?: number;
  /** ListOffsets: its number. */
  partitionIndex?: number;
  /** Epoch of the leader that the client knows; -1 for none. */
  currentLeaderEpoch?: number;
  /** Fetch: where to begin. */
  fetchOffset?: number;
  /** Fetch: epoch of the last record that was fetched; -1 for none. */
  lastFetchedEpoch?: number;
  /** Fetch: of followers; -1 for clients. */
  logStartOffset?: number;
  /** Fetch: bytes. */
  partitionMaxBytes?: number;
  /** Fetch: of followers. */
  replicaDirectoryID?: KafkaUuid;
  /** Fetch: of followers. */
  highWatermark?: number;
  /** ListOffsets: milliseconds since 1970; -1 for the latest, -2 for the earliest. */
  timestamp?: number;
  /** ListOffsets: in version 0. */
  maxNumOffsets?: number;
}

/** Records for a topic. */
interface KafkaTopicData extends KafkaShortened {
  /** Its name. */
  topic?: string;
  /** Its id. */
  topicID?: KafkaUuid;
  /** Its partitions. */
  partitions?: KafkaPartitionList;
}

/** Partitions of a topic. */
interface KafkaPartitionList {
  /** How many, shown or not. */
  length?: number;
  /** The partitions. */
  partitionData?: KafkaPartitionData[] | null;
}

/** Records for a partition. */
interface KafkaPartitionData {
  /** Its number. */
  index?: number;
  /** The records. */
  records?: KafkaRecords | null;
}

/** The broker that asks. */
interface KafkaReplicaState {
  /** Its id; -1 for clients. */
  replicaId?: number;
  /** Its epoch; -1 for none. */
  replicaEpoch?: number;
}

/** Partitions of a topic that a session no longer asks for. */
interface KafkaForgottenTopic extends KafkaShortened {
  /** Its name. */
  topic?: string;
  /** Its id. */
  topicID?: KafkaUuid;
  /** Numbers of partitions. */
  partitions?: number[];
}

/** The replicas of a partition. */
interface KafkaAssignment extends KafkaShortened {
  /** Its number. */
  partitionIndex?: number;
  /** Brokers. */
  brokerIds?: number[];
}

/** A setting of a topic. */
interface KafkaConfig extends KafkaShortened {
  /** Its name. */
  name?: string;
  /** Its value; null for the default. */
  value?: string | null;
  /** Of a response: it can't be changed. */
  readOnly?: boolean;
  /** Of a response: where it comes from. */
  configSource?: number;
  /** Of a response: it is a secret. */
  isSensitive?: boolean;
}

/** The body of a response. What its API and version do not have is missing. */
interface KafkaResponseBody extends KafkaShortened {
  /** Milliseconds that the client was made to wait. */
  throttleTimeMs?: number;
  /** Fetch, ApiVersions, Metadata: of the whole. */
  errorCode?: number;
  /** Its name, where it is not 0. */
  errorName?: string;
  /** Produce, Fetch, DeleteTopics: by topic. */
  responses?: KafkaTopicResponse[];
  /** Produce, Fetch: brokers that lead. */
  nodeEndpoints?: KafkaBroker[];
  /** Fetch: of a session; 0 for none. */
  sessionId?: number;
  /** ListOffsets, Metadata, CreateTopics: by topic. */
  topics?: KafkaTopicResponse[];
  /** Metadata: all brokers. */
  brokers?: KafkaBroker[];
  /** Metadata: id of the cluster. */
  clusterID?: string | null;
  /** Metadata: the broker that is the controller. */
  controllerID?: number;
  /** Metadata: bits. */
  clusterAuthorizedOperations?: number;
  /** ApiVersions: what the broker knows. */
  apiKeys?: KafkaApiVersions[];
  /** ApiVersions. */
  supportedFeatures?: KafkaFeature[];
  /** ApiVersions: -1 for none. */
  finalizedFeaturesEpoch?: number;
  /** ApiVersions. */
  finalizedFeatures?: KafkaFeature[];
  /** ApiVersions. */
  zkMigrationReady?: boolean;
}

/** What is said of a topic. What its API and version do not have is missing. */
interface KafkaTopicResponse extends KafkaShortened {
  /** Its name; of Fetch it is `topic`. */
  name?: string | null;
  /** Fetch: its name. */
  topic?: string;
  /** Its id. */
  topicID?: KafkaUuid;
  /** 0 for success. */
  errorCode?: number;
  /** Its name, where it is not 0. */
  errorName?: string;
  /** In words. */
  errorMessage?: string | null;
  /** Produce, Fetch. */
  partitionResponses?: KafkaPartitionResponse[];
  /** ListOffsets, Metadata. */
  partitions?: KafkaPartitionResponse[];
  /** Metadata: of the brokers' own. */
  isInternal?: boolean;
  /** Metadata: bits. */
  topicAuthorizedOperations?: number;
  /** CreateTopics: why there are no `configs`. */
  topicConfigErrorCode?: number;
  /** CreateTopics: partitions. */
  numPartitions?: number;
  /** CreateTopics: replicas. */
  replicationFactor?: number;
  /** CreateTopics: its settings. */
  configs?: KafkaConfig[] | null;
}

/** What is said of a partition. What its API and version do not have is missing. */
interface KafkaPartitionResponse extends KafkaShortened {
  /** Produce: its number. */
  index?: number;
  /** Fetch: its number. */
  partition?: number;
  /** ListOffsets, Metadata: its number. */
  partitionIndex?: number;
  /** 0 for success. */
  errorCode?: number;
  /** Its name, where it is not 0. */
  errorName?: string;
  /** Produce: in words. */
  errorMessage?: string | null;
  /** Produce: offset of the first record. */
  baseOffset?: number;
  /** Produce: milliseconds since 1970; -1 for none. */
  logAppendTimeMs?: number;
  /** Produce, Fetch: the first offset that there is. */
  logStartOffset?: number;
  /** Produce: records that were refused. */
  recordErrors?: KafkaRecordError[];
  /** Produce, Fetch: who leads. */
  currentLeader?: KafkaLeader;
  /** Fetch: behind the last record that all replicas have. */
  highWatermark?: number;
  /** Fetch: behind the last record whose transaction is over. */
  lastStableOffset?: number;
  /** Fetch: where the logs part. */
  divergingEpoch?: KafkaEpochOffset;
  /** Fetch: a snapshot to begin with. */
  snapshotID?: KafkaEpochOffset;
  /** Fetch: transactions that were aborted. */
  abortedTransactions?: KafkaAbortedTransaction[] | null;
  /** Fetch: the broker to ask; -1 for the leader. */
  preferredReadReplica?: number;
  /** Fetch: the records. */
  recordSet?: KafkaRecords | null;
  /** ListOffsets: in version 0. */
  oldStyleOffsets?: number[];
  /** ListOffsets: milliseconds since 1970; -1 for none. */
  timestamp?: number;
  /** ListOffsets: the offset found; -1 for none. */
  offset?: number;
  /** ListOffsets, Metadata: epoch of the leader. */
  leaderEpoch?: number;
  /** Metadata: the broker that leads. */
  leaderId?: number;
  /** Metadata: brokers with a replica. */
  replicaNodes?: number[];
  /** Metadata: those that are up to date. */
  isrNodes?: number[];
  /** Metadata: those that are offline. */
  offlineReplicas?: number[];
}

/** A record that was refused. */
interface KafkaRecordError extends KafkaShortened {
  /** Its place in the batch. */
  batchIndex?: number;
  /** In words. */
  batchIndexErrorMessage?: string | null;
}

/** Who leads a partition. */
interface KafkaLeader {
  /** The broker; -1 for none. */
  leaderId?: number;
  /** Its epoch. */
  leaderEpoch?: number;
}

/** An epoch with an offset. */
interface KafkaEpochOffset {
  /** The epoch. */
  epoch?: number;
  /** Behind its last record. */
  endOffset?: number;
}

/** A transaction that was aborted. */
interface KafkaAbortedTransaction {
  /** Its producer. */
  producerId?: number;
  /** Its first record. */
  firstOffset?: number;
}

/** A broker. */
interface KafkaBroker extends KafkaShortened {
  /** Its id. */
  nodeId?: number;
  /** Its name or address. */
  host?: string;
  /** Its port. */
  port?: number;
  /** Where it is. */
  rack?: string | null;
}

/** An API that a broker knows. */
interface KafkaApiVersions {
  /** Its number. */
  apiKey?: number;
  /** Its lowest version. */
  minVersion?: number;
  /** Its highest version. */
  maxVersion?: number;
}

/** A feature that a broker knows. */
interface KafkaFeature extends KafkaShortened {
  /** Its name. */
  name?: string;
  /** Its lowest version. */
  minVersion?: number;
  /** Its highest version. */
  maxVersion?: number;
  /** Its lowest level. */
  minVersionLevel?: number;
  /** Its highest level. */
  maxVersionLevel?: number;
}

/** An id of a topic. */
interface KafkaUuid {
  /** Its first 32 bits. */
  timeLow: number;
  /** The next 16. */
  timeMid: number;
  /** The next 16. */
  timeHiAndVersion: number;
  /** The next 16. */
  clockSeq: number;
  /** The next 16. */
  nodePart1: number;
  /** The last 32. */
  nodePart22: number;
  /** As Kafka prints it: base64url. */
  text: string;
}

/** Records of a partition. */
interface KafkaRecords {
  /** Batches, since Kafka 0.11. */
  recordBatch?: KafkaRecordBatch[];
  /** Batches, where not all are shown. */
  recordBatchCount?: number;
  /** Messages, before Kafka 0.11. */
  messageSet?: KafkaMessage[];
  /** Messages, where not all are shown. */
  messageSetCount?: number;
  /** Why records could not be read. */
  recordError?: string;
  /** Bytes of a last batch that the broker cut, or behind what makes no sense. */
  undecodedBytes?: number;
}

/** A batch of records. */
interface KafkaRecordBatch {
  /** Offset of its first record. */
  baseOffset: number;
  /** Bytes behind this field. */
  batchLength: number;
  /** Epoch of the leader; -1 before it has it. */
  partitionLeaderEpoch: number;
  /** 2. */
  magic: number;
  /** CRC-32C. */
  crc: number;
  /** The checksum is wrong. */
  crcValid?: false;
  /** Bits. */
  attributes: number;
  /** `none`, `gzip`, `snappy`, `lz4`, `zstd`, `unknown`. The records are those behind it. */
  compression: string;
  /** Whose clock timestamps are of. */
  timestampType: "CreateTime" | "LogAppendTime";
  /** It belongs to a transaction. */
  isTransactional: boolean;
  /** Its records are not data. */
  isControl: boolean;
  /** Of the last record, from `baseOffset`. */
  lastOffsetDelta: number;
  /** Milliseconds since 1970. */
  firstTimestamp: number;
  /** Milliseconds since 1970. */
  maxTimestamp: number;
  /** -1 for none. */
  producerId: number;
  /** -1 for none. */
  producerEpoch: number;
  /** -1 for none. */
  baseSequence: number;
  /** Records, shown or not. */
  recordCount: number;
  /** The records. */
  record: KafkaRecord[];
  /** It is cut; `record` has those before the cut. */
  incomplete?: true;
  /** Why records could not be read. */
  recordError?: string;
}

/** A record. */
interface KafkaRecord {
  /** Bytes. */
  length: number;
  /** Bits. */
  attributes: number;
  /** Milliseconds from the batch's `firstTimestamp`. */
  timestampDelta: number;
  /** From the batch's `baseOffset`. */
  offsetDelta: number;
  /** Bytes of the key; -1 for null. */
  keyLength: number;
  /** The key; base64 where `keyEncoding` says so. */
  key: string | null;
  /** How `key` is encoded, where it is not text. */
  keyEncoding?: "base64";
  /** Bytes of the value; -1 for null. */
  valueLen: number;
  /** The value; base64 where `valueEncoding` says so. */
  value: string | null;
  /** How `value` is encoded, where it is not text. */
  valueEncoding?: "base64";
  /** Of a control record: `COMMIT`, `ABORT`. */
  control?: string;
  /** Its headers. */
  headers: KafkaHeader[];
  /** Headers, where not all are shown. */
  headersCount?: number;
}

/** A header of a record. */
interface KafkaHeader {
  /** Bytes of the name. */
  headerKeyLength: number;
  /** The name; base64 where `headerKeyEncoding` says so. */
  headerKey: string | null;
  /** How `headerKey` is encoded, where it is not text. */
  headerKeyEncoding?: "base64";
  /** Bytes of the value; -1 for null. */
  headerValueLength: number;
  /** The value; base64 where `valueEncoding` says so. */
  value: string | null;
  /** How `value` is encoded, where it is not text. */
  valueEncoding?: "base64";
}

/** A message of the formats before Kafka 0.11. */
interface KafkaMessage {
  /** Its offset. */
  offset: number;
  /** Bytes behind this field. */
  messageSize: number;
  /** CRC-32. */
  crc: number;
  /** The checksum is wrong. */
  crcValid?: false;
  /** 0 or 1. */
  magic: number;
  /** Bits. */
  attributes: number;
  /** `none`, `gzip`, `snappy`, `lz4`, `unknown`. */
  compression: string;
  /** Whose clock `timestamp` is of. */
  timestampType: "CreateTime" | "LogAppendTime";
  /** Milliseconds since 1970. */
  timestamp?: number;
  /** Bytes of the key; -1 for null. */
  keyLength?: number;
  /** The key; base64 where `keyEncoding` says so. */
  key?: string | null;
  /** How `key` is encoded, where it is not text. */
  keyEncoding?: "base64";
  /** Bytes of the value; -1 for null. */
  valueLen?: number;
  /** The value; base64 where `valueEncoding` says so. */
  value?: string | null;
  /** How `value` is encoded, where it is not text. */
  valueEncoding?: "base64";
  /** Of a compressed message, in the place of `value`: the messages in it. */
  records?: KafkaRecords;
  /** Why it could not be read to its end. */
  recordError?: string;
}

// === ldap ===

/** An item of LDAP or CLDAP. */
interface LdapItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "ldap" };
  /** The operation, or a notice of the server. Null where only the response was seen. */
  request: LdapRequest | null;
  /** All that answers it. Null where there was none, or none is wanted. */
  response: LdapResponse | null;
}

/** An operation, or a notice of the server. */
interface LdapRequest extends Unread, LdapResult {
  /** `Bind Request`, `Search Request`, `Modify Request`, `Extended Request`. */
  type?: string;
  /** Number that responses repeat; 0 of a notice. */
  messageId?: number;
  /** Of a bind: version of the protocol. */
  version?: number;
  /** The entry it is about: of a bind its name, of a search its base. */
  dn?: string;
  /** Of a bind. */
  authentication?: "simple" | "sasl" | "sicily";
  /** Of a bind: SASL's mechanism. */
  mechanism?: string;
  /** Of a search. */
  scope?: "baseObject" | "singleLevel" | "wholeSubtree" | "subordinateSubtree";
  /** Of a search. */
  derefAliases?: "neverDerefAliases" | "derefInSearching" | "derefFindingBaseObj" | "derefAlways";
  /** Of a search: entries; 0: no limit. */
  sizeLimit?: number;
  /** Of a search: seconds; 0: no limit. */
  timeLimit?: number;
  /** Of a search: no values are wanted. */
  typesOnly?: boolean;
  /** Of a search, as RFC 4515 writes it. */
  filter?: string;
  /** Of a search: names that are wanted. Of an added entry: values by name. */
  attributes?: string[] | LdapAttributes;
  /** Of a modification. */
  changes?: LdapChange[];
  /** Of a new name. */
  newRdn?: string;
  /** Of a new name: the old one goes. */
  deleteOldRdn?: boolean;
  /** Of a new name: the entry above it. */
  newSuperior?: string;
  /** Of a comparison. */
  attribute?: string;
  /** Of a password change: whose. */
  userIdentity?: string;
  /** `***`. */
  oldPassword?: string;
  /** `***`. */
  newPassword?: string;
  /** `messageId` of what is to be abandoned. */
  abandonId?: number;
  /** Of a reference that came from the wrong side. */
  uris?: string[];
}

/** A response. */
interface LdapResponse extends LdapResult {
  /** `Bind Response`, `Search Response`. */
  type: string;
  /** Number of the operation. */
  messageId: number;
  /** Of a search: entries, shown or not. */
  entryCount?: number;
  /** Of a search. */
  entries?: LdapEntry[];
  /** References, shown or not. */
  referenceCount?: number;
  /** Where to look further: addresses of each. */
  references?: (string[] | LdapEntry)[];
  /** Intermediate responses, shown or not. */
  intermediateResponseCount?: number;
  /** What came before the result. */
  intermediateResponses?: LdapIntermediate[];
}

/** What results and extended operations have. */
interface LdapResult {
  /** RFC 4511, section 4.1.9; 0 for success. */
  resultCode?: number;
  /** Its name, where it has one: `noSuchObject`. */
  result?: string;
  /** `success`, `compareFalse`, `compareTrue`, `referral` and `saslBindInProgress` are. */
  success?: boolean;
  /** The part of the name that exists. */
  matchedDn?: string;
  /** In words. */
  message?: string;
  /** Addresses to ask. */
  referrals?: string[];
  /** `***`, where there are any. */
  credentials?: string;
  /** Of an extended operation. */
  oid?: string;
  /** Its name, where it has one: `StartTLS`. */
  name?: string;
  /** Of an extended operation or of a comparison: text, or base64. */
  value?: string;
  /** Further wishes, and what came of them. */
  controls?: LdapControl[];
  /** Something was left out, or is missing. */
  truncated?: true;
}

/** Values by the attribute's name: text where it is UTF-8, else base64. */
interface LdapAttributes {
  [name: string]: string[];
}

/** A change of an attribute. */
interface LdapChange {
  /** What is done. */
  operation: "add" | "delete" | "replace" | "increment";
  /** The attribute. */
  attribute: string;
  /** Text where it is UTF-8, else base64. */
  values: string[];
}

/** An entry that was found. */
interface LdapEntry {
  /** Its name. */
  dn?: string;
  /** Its attributes. */
  attributes?: LdapAttributes;
  /** Further information. */
  controls?: LdapControl[];
}

/** An intermediate response. */
interface LdapIntermediate {
  /** Its identifier. */
  oid?: string;
  /** Its name, where it has one. */
  name?: string;
  /** Text, or base64. */
  value?: string;
  /** Further information. */
  controls?: LdapControl[];
}

/** A control. */
interface LdapControl {
  /** Its identifier. */
  oid: string;
  /** Its name, where it has one: `Paged Results`. */
  name?: string;
  /** Who does not know it must refuse. */
  critical: boolean;
  /** In base64; of others than paged results. */
  value?: string;
  /** Of paged results: entries of a page, or of the whole. */
  size?: number;
  /** Of paged results: where the next page begins, in base64. */
  cookie?: string;
}

// === memcached ===

/** An item of memcached: `data.protocol.version` is `text` or `binary`. */
interface MemcachedItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "memcached" };
  /** The command. Null where only the answer was seen. */
  request: MemcachedRequest | null;
  /** The answer. Null where there was none, or none is wanted. */
  response: MemcachedResponse | null;
}

/** A command. */
interface MemcachedRequest extends Unread {
  /** `get`, `set`, `mg`; binary: by name, or `0x30`. */
  command?: string;
  /** The first key. */
  key?: string;
  /** All keys, where the command takes several. */
  keys?: string[];
  /** Keys, where not all are shown. */
  keyCount?: number;
  /** A number that is stored with the value. */
  flags?: number;
  /** Seconds that it is kept, or since 1970 above 30 days; 0: for ever. */
  exptime?: number;
  /** Number of the value that is to be replaced; 0 in the binary protocol is left out. */
  cas?: number;
  /** What is added or subtracted. */
  delta?: number;
  /** Binary: what a counter begins with. */
  initial?: number;
  /** Of `flush_all`: seconds to wait. */
  delay?: number;
  /** Of other commands: their words. */
  args?: string[];
  /** Flags of a meta command, each with its argument. */
  metaFlags?: string[];
  /** No answer is wanted. */
  noreply?: true;
  /** Of storage commands: text, or base64. `***` of a login. */
  value?: string;
  /** Bytes of the value. */
  size?: number;
  /** `value` is cut. */
  truncated?: true;
  /** A line that is no command. */
  line?: string;
  /** It is no command; the server refuses it. */
  invalid?: true;
  /** Binary: number of the command. */
  opcode?: number;
  /** Binary: only the unusual is answered. */
  quiet?: true;
  /** Binary: number that the answer repeats. */
  opaque?: number;
  /** Binary: how much the server logs. */
  verbosity?: number;
}

/** An answer. */
interface MemcachedResponse {
  /** The answer's word, `OK` for a number; binary: the status by name. */
  status?: string;
  /** What was found. */
  values?: MemcachedValue[];
  /** What `stats` says; values are texts. */
  stats?: StringMap;
  /** Other lines. */
  lines?: string[];
  /** Of `incr` and `decr`: the new value. */
  number?: number;
  /** Of `version`. */
  version?: string;
  /** Why it was refused. */
  error?: MemcachedError;
  /** Flags of a meta command, each with its argument. */
  metaFlags?: string[];
  /** Binary: number of the command. */
  opaque?: number;
  /** Binary: number of the value. */
  cas?: number;
  /** Binary: number that is stored with the value. */
  flags?: number;
  /** Binary: the key, where the command wants it. */
  key?: string;
  /** Binary, and of `mg`: text, or base64. */
  value?: string;
  /** Bytes of the value. */
  size?: number;
  /** Values and lines, where not all are shown. */
  count?: number;
  /** Something is cut. */
  truncated?: true;
}

/** A value that was found. */
interface MemcachedValue {
  /** Its key. */
  key: string;
  /** The number that is stored with it. */
  flags: number;
  /** Its number, where `gets` asked for it. */
  cas?: number;
  /** Text, or base64. */
  value: string;
  /** Bytes of the value. */
  size: number;
  /** `value` is cut. */
  truncated?: true;
}

/** Why a command was refused. */
interface MemcachedError {
  /** `CLIENT_ERROR`, `SERVER_ERROR`, `ERROR`; a number in the binary protocol. */
  code: string | number;
  /** In words. */
  message: string;
}

// === mongodb ===

/** An item of MongoDB. */
interface MongodbItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "mongodb" };
  /** The command, or one of several replies that a server sends. Null where only the reply was seen. */
  request: MongodbRequest | null;
  /** The reply. Null where there was none, or none is wanted. */
  response: MongodbResponse | null;
}

/** A command, or one of several replies that a server sends to one. */
interface MongodbRequest extends Unread, MongodbOutcome {
  /** The operation, of `OP_COMPRESSED` the one inside: `OP_MSG`. */
  opCode?: string;
  /** Number of the message. */
  requestId?: number;
  /** Of a reply: number of the message that it answers. */
  responseTo?: number;
  /** How it was compressed. */
  compressor?: string;
  /** `find`, `insert`; of old operations, too. */
  command?: string;
  /** The database. */
  database?: string;
  /** Of commands that are about one. */
  collection?: string;
  /** Of old operations: documents to pass over. */
  skip?: number;
  /** Of old operations: documents of the first batch; -1 for one alone. */
  numberToReturn?: number;
  /** Of old operations: fields that are wanted. */
  fields?: AnyMap;
  /** Of old operations: cursors to be closed. */
  cursorIds?: number[];
  /** Of old operations: cursors to be closed, shown or not. */
  cursorCount?: number;
  /** Of old operations: several replies are wanted. */
  exhaust?: true;
  /** Of old operations: what is not there is inserted. */
  upsert?: boolean;
  /** Of old operations: all that match are changed. */
  multi?: boolean;
  /** Of old operations: one that matches is deleted. */
  single?: boolean;
}

/** A reply. */
interface MongodbResponse extends MongodbOutcome {
  /** The operation, of `OP_COMPRESSED` the one inside: `OP_MSG`. */
  opCode?: string;
  /** Number of the message. */
  requestId: number;
  /** Number of the message that it answers. */
  responseTo: number;
  /** How it was compressed. */
  compressor?: string;
}

/** What replies have, and what they share with commands. */
interface MongodbOutcome {
  /** `ok`, and neither write errors nor a write concern error. */
  success?: boolean;
  /** As sent: 1 for success. */
  ok?: number | boolean;
  /** Of the command, else of the first write error, else of the write concern. */
  error?: MongodbError;
  /** Documents, updates or deletes of the command; documents of the reply's batch, shown or not. */
  documentCount?: number;
  /** Of the reply's cursor; 0 where nothing more is to be had. */
  cursorId?: number;
  /** Of the reply's cursor: `app.items`. */
  namespace?: string;
  /** Of `OP_REPLY`: place of the first document. */
  startingFrom?: number;
  /** A checksum follows the message. */
  checksumPresent?: true;
  /** Another message follows, or no reply is wanted. */
  moreToCome?: true;
  /** Several replies are wanted. */
  exhaustAllowed?: true;
  /** The command, or the reply, with its values in relaxed Extended JSON. Secrets are `***`. */
  body?: AnyMap;
  /** Of `OP_REPLY` to a find: what was found. */
  documents?: AnyMap[];
  /** A cap was reached, or bytes are missing. */
  truncated?: true;
}

/** Why a command failed. */
interface MongodbError {
  /** The code: 11000. */
  code?: number;
  /** Its name: `BadValue`. */
  codeName?: string;
  /** In words. */
  message?: string;
}

// === mqtt ===

/** An item of MQTT: a packet with its acknowledgement. */
interface MqttItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "mqtt" };
  /** The packet. Null where only the acknowledgement was seen. */
  request: MqttRequest | null;
  /** The acknowledgement; of QoS 2 the last. Null where there was none, or none is wanted. */
  response: MqttResponse | null;
}

/** A packet of either side. */
interface MqttRequest extends Unread, MqttPayload, MqttReason, MqttAcknowledgement {
  /** `CONNECT`, `PUBLISH`, `SUBSCRIBE`, `UNSUBSCRIBE`, `PINGREQ`, `DISCONNECT`, `AUTH`. */
  type?: string;
  /** Of CONNECT: `MQTT`, or `MQIsdp` of 3.1. */
  protocolName?: string;
  /** Of CONNECT: 3, 4 or 5; 128 more of a bridge. */
  protocolLevel?: number;
  /** Of CONNECT. */
  version?: "3.1" | "3.1.1" | "5.0";
  /** Of CONNECT, up to 3.1.1: an earlier session is not taken up. */
  cleanSession?: boolean;
  /** Of CONNECT, 5.0: an earlier session is not taken up. */
  cleanStart?: boolean;
  /** Of CONNECT: seconds. */
  keepAlive?: number;
  /** Of CONNECT: the client's name. */
  clientId?: string;
  /** Of CONNECT: what is published when the client is gone. */
  will?: MqttWill;
  /** Of CONNECT: who logs in. */
  username?: string;
  /** Of CONNECT: `***`. */
  password?: string;
  /** Number that the acknowledgement repeats. */
  packetId?: number;
  /** Of SUBSCRIBE: filters with their options; of UNSUBSCRIBE filters alone. */
  topics?: (MqttSubscription | string)[];
  /** Of PUBLISH: perhaps sent before. */
  dup?: boolean;
  /** Of PUBLISH: 0, 1 or 2. */
  qos?: number;
  /** Of PUBLISH: it is kept for later subscribers. */
  retain?: boolean;
  /** Of PUBLISH; null where the topic of an alias is not known. */
  topic?: string | null;
}

/** An acknowledgement. */
interface MqttResponse extends MqttReason, MqttAcknowledgement {
  /** `CONNACK`, `PUBACK`, `PUBCOMP`, `SUBACK`, `UNSUBACK`, `PINGRESP`. */
  type: string;
  /** Of QoS 2: the first acknowledgement. */
  pubrec?: MqttStep;
  /** Of QoS 2: what the sender says to it. */
  pubrel?: MqttStep;
  /** Of QoS 2: the last acknowledgement. */
  pubcomp?: MqttStep;
}

/** What acknowledgements have. One with bytes missing is a request of its own. */
interface MqttAcknowledgement {
  /** Of CONNACK: an earlier session is taken up. */
  sessionPresent?: boolean;
  /** Number of the packet. */
  packetId?: number;
  /** Of SUBACK and UNSUBACK: one for each topic. */
  reasonCodes?: number[];
  /** The same in words. */
  reasons?: string[];
}

/** What packets of 5.0, and each CONNACK, have. */
interface MqttReason {
  /** 0 for success, from 128 on an error. */
  reasonCode?: number;
  /** In words. */
  reason?: string;
  /** The code tells of an error. */
  error?: MqttError;
  /** Of 5.0. */
  properties?: MqttProperties;
  /** A cap was reached, or bytes are missing. */
  truncated?: true;
}

/** An acknowledgement of QoS 2. */
interface MqttStep extends MqttReason {
  /** `PUBREC`, `PUBREL`, `PUBCOMP`. */
  type: string;
  /** Number of the packet. */
  packetId?: number;
}

/** Why a packet was refused. */
interface MqttError {
  /** The reason code. */
  code: number;
  /** In words. */
  text: string;
}

/** A subscription. */
interface MqttSubscription {
  /** The filter: `a/+/c`. */
  topic: string;
  /** The highest QoS that is wanted. */
  qos: number;
  /** 5.0: not what the client itself publishes. */
  noLocal?: boolean;
  /** 5.0: `retain` stays as it was published. */
  retainAsPublished?: boolean;
  /** 5.0: 0 for all kept messages, 1 for those of a new subscription, 2 for none. */
  retainHandling?: number;
}

/** What is published when a client is gone. */
interface MqttWill extends MqttPayload {
  /** 0, 1 or 2. */
  qos: number;
  /** It is kept for later subscribers. */
  retain: boolean;
  /** Where it is published. */
  topic: string;
  /** Of 5.0. */
  properties?: MqttProperties;
}

/** What is published. */
interface MqttPayload {
  /** Bytes of the whole. */
  payloadSize?: number;
  /** How `payload` is encoded. */
  payloadEncoding?: "text" | "base64";
  /** The message. */
  payload?: string;
  /** `payload` is cut. */
  truncated?: true;
}

/** Properties of 5.0. */
interface MqttProperties {
  /** 1 for text. */
  payloadFormatIndicator?: number;
  /** Seconds that the message lives. */
  messageExpiryInterval?: number;
  /** MIME type. */
  contentType?: string;
  /** Topic for answers. */
  responseTopic?: string;
  /** What answers repeat, in base64. */
  correlationData?: string;
  /** Numbers of the subscriptions that match. */
  subscriptionIdentifiers?: number[];
  /** Seconds that the session outlives its connection. */
  sessionExpiryInterval?: number;
  /** Name that the server gives a client without. */
  assignedClientIdentifier?: string;
  /** Seconds, in the place of the client's. */
  serverKeepAlive?: number;
  /** How the client proves who it is. */
  authenticationMethod?: string;
  /** `***`. */
  authenticationData?: string;
  /** 1: reasons are wanted in words. */
  requestProblemInformation?: number;
  /** Seconds until a will is published. */
  willDelayInterval?: number;
  /** 1: `responseInformation` is wanted. */
  requestResponseInformation?: number;
  /** For topics of answers. */
  responseInformation?: string;
  /** Another server to use. */
  serverReference?: string;
  /** In words. */
  reasonString?: string;
  /** Packets that may wait for acknowledgement. */
  receiveMaximum?: number;
  /** The highest alias. */
  topicAliasMaximum?: number;
  /** Number that stands for the topic. */
  topicAlias?: number;
  /** The highest QoS of the server. */
  maximumQoS?: number;
  /** 1: the server keeps messages. */
  retainAvailable?: number;
  /** Bytes of a packet. */
  maximumPacketSize?: number;
  /** 1: filters may have wildcards. */
  wildcardSubscriptionAvailable?: number;
  /** 1: subscriptions may have numbers. */
  subscriptionIdentifiersAvailable?: number;
  /** 1: subscriptions may be shared. */
  sharedSubscriptionAvailable?: number;
  /** Those of the application. */
  userProperties?: NameValue[];
  /** A list is cut. */
  truncated?: true;
}

// === mysql ===

/** An item of MySQL or MariaDB: a command with its response, or a login. */
interface MysqlItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "mysql" };
  /** The command. Null where only the response was seen. */
  request: MysqlRequest | null;
  /** Null where there was none, or none is wanted. */
  response: MysqlResponse | null;
}

/** A command, a login, or an error of the server's own accord. */
interface MysqlRequest extends Unread {
  /** `COM_QUERY`, `COM_STMT_EXECUTE`, `Login`, `SSLRequest`; `ERR` of the server's own accord. */
  command?: string;
  /** The text, as sent or as it was prepared. */
  query?: string;
  /** Bytes of the text, where not all is shown. */
  querySize?: number;
  /** The text is cut. */
  truncated?: true;
  /** Number of the prepared statement. */
  statementId?: number;
  /** Of `COM_STMT_EXECUTE`. */
  parameters?: MysqlParameter[];
  /** Parameters, where not all are shown. */
  parameterCount?: number;
  /** Of a query: values with names. Of a login: what the client says of itself. */
  attributes?: MysqlParameter[] | StringMap;
  /** Attributes of a query, where not all are shown. */
  attributeCount?: number;
  /** The session's database when the command was answered, where it is known. */
  database?: string;
  /** The session's user when the command was answered, where it is known. */
  user?: string;
  /** The database that a command names. */
  schema?: string;
  /** Of `COM_CHANGE_USER`. */
  newUser?: string;
  /** Of a login: `***`. */
  authData?: string;
  /** Of a login: how the password is proved. */
  authPlugin?: string;
  /** Of a login: bytes. */
  maxPacketSize?: number;
  /** Of a login: number of a collation. */
  characterSet?: number;
  /** Of a login: what both sides agreed on. */
  capabilities?: string[];
  /** Of `SSLRequest`: the server's version. */
  serverVersion?: string;
  /** Of `COM_PROCESS_KILL` and `SSLRequest`: a connection's number. */
  connectionId?: number;
  /** Of `COM_FIELD_LIST`. */
  table?: string;
  /** Of `COM_FIELD_LIST`. */
  wildcard?: string;
  /** Of `COM_SET_OPTION`: 0 for several statements at once, 1 for one. */
  option?: number;
  /** Of `COM_BINLOG_DUMP`: bytes into the file. */
  position?: number;
  /** Of `COM_BINLOG_DUMP`: number of the replica. */
  serverId?: number;
  /** Of `COM_BINLOG_DUMP`: the log's name. */
  file?: string;
  /** Of `COM_STMT_SEND_LONG_DATA`: place of the parameter. */
  parameter?: number;
  /** Of `COM_STMT_SEND_LONG_DATA`: bytes. */
  size?: number;
  /** Of `COM_STMT_FETCH`. */
  maxRows?: number;
  /** Bytes of a file that the client sends. */
  fileSize?: number;
  /** Of `ERR`. */
  error?: MysqlError;
}

/** A response. */
interface MysqlResponse {
  /** No error. */
  success: boolean;
  /** Of a login: the server's version. */
  serverVersion?: string;
  /** Of a login: the connection's number. */
  connectionId?: number;
  /** Of a login: how the server wants the password to be proved. */
  authPlugin?: string;
  /** Of a login: how the server wants it to be proved instead. */
  authSwitch?: string;
  /** Results, shown or not. */
  resultCount?: number;
  /** Rows of all results, shown or not. */
  rowCount?: number;
  /** One for each statement. */
  results?: MysqlResult[];
  /** File that the server asks the client for. */
  localInfile?: string;
  /** Of `COM_STMT_PREPARE`: the statement's number. */
  statementId?: number;
  /** Of `COM_STMT_PREPARE`. */
  parameterCount?: number;
  /** Of `COM_STMT_PREPARE`. */
  parameterTypes?: string[];
  /** Of `COM_STMT_PREPARE`. */
  warnings?: number;
  /** Of `COM_STMT_PREPARE`. */
  columns?: MysqlColumn[];
  /** Of `COM_STATISTICS`. */
  text?: string;
  /** Why it failed. */
  error?: MysqlError;
}

/** A value with its type. */
interface MysqlParameter {
  /** Of attributes. */
  name?: string;
  /** `string`, `long`. */
  type: string;
  /** By its type; `{ text or data, size, truncated }` above the cap. */
  value?: any;
  /** Bytes of a value that was sent ahead. */
  longDataSize?: number;
}

/** A result. */
interface MysqlResult {
  /** Rows that were changed. */
  affectedRows?: number;
  /** The first number that `AUTO_INCREMENT` made. */
  lastInsertId?: number;
  /** Columns, where not all are shown. */
  columnCount?: number;
  /** Of the rows. */
  columns?: MysqlColumn[];
  /** Rows, shown or not. */
  rowCount?: number;
  /** Values by place: numbers, texts, base64, null; `{ text or data, size, truncated }` above the cap. */
  rows?: any[][];
  /** Warnings. */
  warnings?: number;
  /** Of the session: `autocommit`, `inTransaction`. */
  status?: string[];
  /** In words. */
  info?: string;
  /** What changed in the session. */
  sessionState?: MysqlSessionChange[];
}

/** A column. */
interface MysqlColumn {
  /** Its name. */
  name: string;
  /** Its table. */
  table?: string;
  /** Its type: `var_string`. */
  type: string;
}

/** A change of the session. */
interface MysqlSessionChange {
  /** `variable`, `schema`, `state`, `gtids`, `transactionCharacteristics`, `transactionState`; a number where it has no name. */
  type: string;
  /** Of a variable. */
  name?: string;
  /** What it is now. */
  value: string;
}

/** Why a command failed. */
interface MysqlError {
  /** The code: 1146. */
  code?: number;
  /** `42S02`. */
  sqlState?: string;
  /** In words. */
  message?: string;
}

// === nats ===

/** An item of NATS. */
interface NatsItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "nats" };
  /** The operation of either side. Null where only the reply was seen. */
  request: NatsRequest | null;
  /** The reply, the PONG, or the verdict on a CONNECT. Null where there was none, or none is wanted. */
  response: NatsResponse | null;
}

/** An operation of either side. */
interface NatsRequest extends Unread, NatsMessage {
  /** `PUB`, `MSG`, `SUB`, `CONNECT`, `INFO`, `PING`. */
  verb?: string;
  /** What a server says of itself, by NATS's names. */
  info?: AnyMap;
  /** What a client says of itself, by NATS's names; secrets are `***`. */
  options?: AnyMap;
  /** Of SUB: those in a group share messages. */
  queueGroup?: string;
  /** Of UNSUB: messages after which it ends. */
  maxMessages?: number;
}

/** A reply. */
interface NatsResponse extends NatsMessage {
  /** `MSG`, `HMSG`, `PONG`, `+OK`, `-ERR`. */
  verb: string;
}

/** What operations of NATS have. */
interface NatsMessage {
  /** The subject. */
  subject?: string;
  /** Number of the subscription; a string. */
  sid?: string;
  /** Subject for replies. */
  replyTo?: string;
  /** Bytes of the headers. */
  headersSize?: number;
  /** Headers that are none; text, or base64. */
  headersRaw?: string;
  /** Of the headers: 503 where nobody listens. */
  status?: number;
  /** What `status` says in words. */
  statusText?: string;
  /** In the order sent. */
  headers?: NameValue[];
  /** Headers are cut. */
  headersTruncated?: true;
  /** Text, or base64. */
  payload?: string;
  /** Bytes of the payload. */
  size?: number;
  /** `payload` is cut. */
  truncated?: true;
  /** Of `-ERR`. */
  error?: NatsError;
}

/** Why the server refuses. */
interface NatsError {
  /** In words. */
  message: string;
}

// === postgresql ===

/** An item of PostgreSQL: a query cycle, or a message of the server's own accord. */
interface PostgresqlItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "postgresql" };
  /** What is asked. Null where only the response was seen. */
  request: PostgresqlRequest | null;
  /** Null where there was none, or none is wanted. */
  response: PostgresqlResponse | null;
}

/** A query, a login, or a message of the server's own accord. */
interface PostgresqlRequest extends Unread {
  /** `Query`, `Execute`, `Parse`, `Startup`, `NotificationResponse`. */
  command?: string;
  /** The text, as sent or as it was prepared. */
  query?: string;
  /** Bytes of the text, where not all is shown. */
  querySize?: number;
  /** The text is cut. */
  truncated?: true;
  /** The session's database, where the login was seen. */
  database?: string;
  /** The session's user, where the login was seen. */
  user?: string;
  /** Name of the prepared statement, where not empty. */
  statement?: string;
  /** Name of the portal, where not empty. */
  portal?: string;
  /** Of `Execute` and `Bind`: values. Of `Startup`: settings. */
  parameters?: PostgresqlParameter[] | StringMap;
  /** Values, where not all are shown. */
  parameterCount?: number;
  /** Rows that are wanted; missing where all are. */
  maxRows?: number;
  /** What the client copies in. */
  copy?: PostgresqlCopy;
  /** Of `FunctionCall`. */
  functionId?: number;
  /** Of `Startup`: `3.0`. */
  protocolVersion?: string;
  /** Of `Startup`: how the client proves who it is. */
  authentication?: PostgresqlAuthentication;
  /** Of `CancelRequest` and notifications: the server's process. */
  processId?: number;
  /** Of `CancelRequest`: `***`. */
  secretKey?: string;
  /** Of a notification. */
  channel?: string;
  /** Of a notification. */
  payload?: string;
  /** Of `ParameterStatus`: the setting. */
  name?: string;
  /** Of `ParameterStatus`. */
  value?: string;
  /** Of `NoticeResponse` and `ErrorResponse` of the server's own accord. */
  report?: PostgresqlReport;
}

/** A response. */
interface PostgresqlResponse {
  /** No error, and not passed over because of one. */
  success: boolean;
  /** Passed over up to the next `Sync`. */
  skipped?: true;
  /** Of `SSLRequest` and `GSSENCRequest`. */
  accepted?: boolean;
  /** Of `Startup`: what the server asks for: `SASL SCRAM-SHA-256`. */
  authentication?: string;
  /** Of `Startup`: the server's process. */
  processId?: number;
  /** Of `Startup`: `***`. */
  secretKey?: string;
  /** Of `Startup`: the newest that the server knows. */
  protocolVersion?: string;
  /** Of `FunctionCall`: text, or base64. */
  value?: any;
  /** Of a prepared statement. */
  parameterTypes?: string[];
  /** Results, shown or not. */
  resultCount?: number;
  /** Rows of all results, shown or not. */
  rowCount?: number;
  /** One for each command of the query. */
  results?: PostgresqlResult[];
  /** Of a statement that is described, not executed. */
  columns?: PostgresqlColumn[];
  /** Why it failed. */
  error?: PostgresqlReport;
  /** Notices, shown or not. */
  noticeCount?: number;
  /** What the server says besides. */
  notices?: PostgresqlReport[];
  /** Settings that the server tells. */
  parameters?: StringMap;
  /** Where the session is then. */
  transactionStatus?: "idle" | "in transaction" | "failed transaction";
}

/** A value with its type. */
interface PostgresqlParameter {
  /** `int4`, where it is known. */
  type?: string;
  /** By its type; `{ text or data, size, truncated }` above the cap. */
  value: any;
}

/** What is copied in or out. */
interface PostgresqlCopy {
  /** How the data is written. */
  format?: "text" | "binary";
  /** Both sides copy: replication. */
  replication?: true;
  /** Messages that carry it. */
  messages: number;
  /** Bytes of the whole. */
  bytes: number;
  /** Its beginning: text, or base64. */
  data: string;
  /** `data` is cut. */
  truncated?: true;
  /** Why the client gave up. */
  failed?: string;
}

/** How a client proves who it is. */
interface PostgresqlAuthentication {
  /** SASL's mechanism. */
  mechanism?: string;
  /** `***`. */
  data: string;
}

/** A result. */
interface PostgresqlResult {
  /** What the server says of it: `INSERT 0 5`. */
  tag?: string;
  /** Out of the tag: `INSERT`. */
  command?: string;
  /** Out of the tag: rows. */
  affectedRows?: number;
  /** The query was empty. */
  empty?: true;
  /** More rows wait. */
  suspended?: true;
  /** Columns, where not all are shown. */
  columnCount?: number;
  /** Of the rows. */
  columns?: PostgresqlColumn[];
  /** Rows, shown or not. */
  rowCount?: number;
  /** Values by place: as in JSON, base64 for bytes; `{ text or data, size, truncated }` above the cap. */
  rows?: any[][];
  /** What the server copies out. */
  copy?: PostgresqlCopy;
}

/** A column. */
interface PostgresqlColumn {
  /** Its name. */
  name: string;
  /** Its type: `int4`; a number where it has no name. */
  type: string;
}

/** An error or a notice. */
interface PostgresqlReport {
  /** `ERROR`, `FATAL`, `NOTICE`. */
  severity?: string;
  /** SQLSTATE: `42P01`. */
  code?: string;
  /** In words. */
  message?: string;
  /** More of it. */
  detail?: string;
  /** What to do. */
  hint?: string;
  /** Place in the query, in characters from 1. */
  position?: number | string;
  /** Place in a query of the server's own. */
  internalPosition?: number | string;
  /** That query. */
  internalQuery?: string;
  /** Functions it happened in. */
  where?: string;
  /** What it is about. */
  schema?: string;
  /** What it is about. */
  table?: string;
  /** What it is about. */
  column?: string;
  /** What it is about. */
  dataType?: string;
  /** What it is about. */
  constraint?: string;
  /** Place in the server's code. */
  file?: string;
  /** Place in the server's code. */
  line?: number | string;
  /** Place in the server's code. */
  routine?: string;
  /** A text is cut. */
  truncated?: true;
}

// === quic ===

/** An item of QUIC: a handshake. */
interface QuicItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "quic" };
  /** The client's first packets. Null where only the server's were seen. */
  request: QuicRequest | null;
  /** Null where there was none. */
  response: QuicResponse | null;
}

/** The client's first packets. */
interface QuicRequest extends TlsClientHello {
  /** `ClientHello`; `Initial` for a packet of a version that is not known; `Alert`, `ConnectionClose` without hello. */
  type: "ClientHello" | "Initial" | "Alert" | "ConnectionClose";
  /** `1`, `2`, `draft-29`, else `0x1a2a3a4a`. */
  quicVersion?: string;
  /** Hexadecimal; chosen by the client, or by a Retry. */
  destinationConnectionId?: string;
  /** Hexadecimal. */
  sourceConnectionId?: string;
  /** What the client tells of itself. */
  transportParameters?: QuicParameters;
  /** Of a ConnectionClose: the code. */
  code?: number;
  /** Of a ConnectionClose: in words. */
  reason?: string;
}

/** The server's first packets. */
interface QuicResponse extends TlsServerHello {
  /** What the server answers with. */
  type: "ServerHello" | "VersionNegotiation" | "Alert" | "ConnectionClose";
  /** `1`, `2`, `draft-29`. */
  quicVersion?: string;
  /** Hexadecimal. */
  sourceConnectionId?: string;
  /** Of a VersionNegotiation: versions that the server knows. */
  versions?: string[];
  /** Of a ConnectionClose: the code. */
  code?: number;
  /** Of a ConnectionClose: in words. */
  reason?: string;
}

/** What a client tells of itself. */
interface QuicParameters {
  /** Milliseconds without packets after which the connection ends; 0: never. */
  maxIdleTimeout?: number;
  /** Bytes of a datagram that it can take. */
  maxUdpPayloadSize?: number;
  /** Bytes of all streams that it can take. */
  initialMaxData?: number;
  /** Bytes of a stream that it opens, both ways. */
  initialMaxStreamDataBidiLocal?: number;
  /** Bytes of a stream that the server opens, both ways. */
  initialMaxStreamDataBidiRemote?: number;
  /** Bytes of a stream that the server opens, one way. */
  initialMaxStreamDataUni?: number;
  /** Streams, both ways, that the server may open. */
  initialMaxStreamsBidi?: number;
  /** Streams, one way, that the server may open. */
  initialMaxStreamsUni?: number;
  /** Delays of acknowledgements are in units of 2 to this power microseconds. */
  ackDelayExponent?: number;
  /** Milliseconds that an acknowledgement may wait. */
  maxAckDelay?: number;
  /** Connection ids that it keeps. */
  activeConnectionIdLimit?: number;
  /** Bytes of a DATAGRAM frame that it can take. */
  maxDatagramFrameSize?: number;
  /** It stays at its address. */
  disableActiveMigration?: true;
  /** Versions that it knows. */
  availableVersions?: string[];
}

// === radius ===

/** An item of RADIUS. */
interface RadiusItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "radius" };
  /** Null where only the response was seen. */
  request: RadiusRequest | null;
  /** Null where there was none. */
  response: RadiusResponse | null;
}

/** A request. */
interface RadiusRequest extends Unread, RadiusPacket {
}

/** A response. */
interface RadiusResponse extends RadiusPacket {
}

/** What packets of RADIUS have. */
interface RadiusPacket {
  /** 1 for an Access-Request. */
  code?: number;
  /** Its name; `Code N` where it has none. */
  codeName?: string;
  /** Number that the response repeats. */
  id?: number;
  /** Hexadecimal. */
  authenticator?: string;
  /** Of the attribute `User-Name`. */
  userName?: string;
  /** Of the attribute `Acct-Session-Id`. */
  sessionId?: string;
  /** Attributes, where not all are shown. */
  attributeCount?: number;
  /** In the order sent. */
  attributes?: RadiusAttribute[];
  /** The EAP message, joined from its pieces. */
  eap?: RadiusEap;
}

/** An attribute. */
interface RadiusAttribute {
  /** Its number. */
  type: number;
  /** Its name, `Attr-N` where it has none; of vendors only where it has one. */
  name?: string;
  /** By its type: number or text, seconds since 1970 for a time, `***` for a secret; base64 where it does not fit. */
  value: number | string;
  /** What the number stands for. */
  valueName?: string;
  /** Which tunnel it belongs to. */
  tag?: number;
  /** Of an extended attribute: its number there. */
  extendedType?: number;
  /** Of an extended attribute: it goes on in the next. */
  more?: boolean;
  /** Number of the vendor whose it is. */
  vendorId?: number;
  /** Name of that vendor. */
  vendor?: string;
  /** The vendor's attributes. */
  attributes?: RadiusAttribute[];
}

/** An EAP message. */
interface RadiusEap {
  /** 1 for a request, 2 for a response, 3 for success, 4 for failure. */
  code?: number;
  /** Its name. */
  codeName?: string;
  /** Number that the response repeats. */
  id?: number;
  /** Bytes. */
  length?: number;
  /** The method. */
  type?: number;
  /** Its name: `EAP-TLS`. */
  typeName?: string;
  /** Who the client says it is. */
  identity?: string;
  /** It is not what its length says. */
  malformed?: true;
}

// === redis ===

/** An item of Redis. */
interface RedisItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "redis" };
  /** The command, or what a server sends unasked. Null where only the answer was seen. */
  request: RedisRequest | null;
  /** The answer. Null where there was none, or none is wanted. */
  response: RedisResponse | null;
}

/** A command, or what a server sends unasked. */
interface RedisRequest extends Unread, RedisValue {
  /** `Array`, `Inline`, `Push`. */
  type?: string;
  /** In capitals: `SET`; empty where a server sends a value. */
  command?: string;
  /** The first argument. */
  key?: string;
  /** The other arguments, `[a, b]` where there are several. */
  value?: string;
  /** The subcommand: `GET` of `CONFIG GET`. */
  keyword?: string;
  /** All arguments; text, base64, or an object above the cap. Passwords are `***`. */
  args?: any[];
  /** Arguments, where not all are shown. */
  argCount?: number;
}

/** An answer. */
interface RedisResponse extends RedisValue {
  /** `Simple String`, `Bulk String`, `Array`, `Integer`, `Error`, `Null`, `Map`. */
  type: string;
  /** Empty. */
  command: string;
  /** Empty. */
  key: string;
  /** The answer as text; of errors with their class before it. */
  value: string;
  /** Of a simple string of one word, it in capitals. */
  keyword: string;
}

/** What values have. */
interface RedisValue {
  /** The answer with its types; missing of errors. `{ data, size, truncated }` above the cap. */
  result?: any;
  /** Entries, where not all are shown. */
  count?: number;
  /** What went wrong. */
  error?: RedisError;
  /** Attributes of RESP3. */
  attributes?: any;
  /** Something was left out. */
  truncated?: true;
}

/** An error. */
interface RedisError {
  /** Kind of error. */
  class: "DataError" | "MovedDataError" | "AskDataError" | "ClusterError" | "BusyError" | "NoScriptError";
  /** The first word, where it is in capitals: `WRONGTYPE`. */
  code?: string;
  /** In words. */
  message: string;
  /** Of `MOVED` and `ASK`: where to go. */
  host?: string;
  /** Of `MOVED` and `ASK`: where to go. */
  port?: number;
  /** Of `MOVED` and `ASK`: the hash slot. */
  slot?: number;
}

// === sctp ===

/** An item of SCTP: a packet, some with the packet that answers. */
interface SctpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "sctp" };
  /** The packet. Null where only the answer was seen. */
  request: SctpRequest | null;
  /** The answer. Null where there was none, or none is wanted. */
  response: SctpResponse | null;
}

/** A packet that asks, or stands alone. */
interface SctpRequest extends Unread, SctpPacket {
}

/** A packet that answers. */
interface SctpResponse extends SctpPacket {
}

/** What packets of SCTP have. */
interface SctpPacket {
  /** Tag that the receiver chose. */
  verificationTag?: number;
  /** CRC-32C; not checked. */
  checksum?: number;
  /** Bytes on the wire, without IP's header. */
  length?: number;
  /** Type of the first chunk: `INIT`. */
  chunkType?: string;
  /** Types of all chunks: `SACK, DATA`. */
  chunkTypes?: string;
  /** Chunks, where not all are shown. */
  chunkCount?: number;
  /** In the order sent. */
  chunks?: SctpChunk[];
}

/** A chunk. What its type does not have is missing. */
interface SctpChunk {
  /** Number of its type. */
  type: number;
  /** Name of its type: `DATA`. */
  typeName: string;
  /** Bits. */
  flags: number;
  /** Bytes. */
  length: number;
  /** INIT: tag that the sender chose. */
  initiateTag?: number;
  /** INIT, SACK: bytes that the sender can take. */
  advertisedWindow?: number;
  /** INIT: streams that the sender wants to send on. */
  outboundStreams?: number;
  /** INIT: streams that the sender can take. */
  inboundStreams?: number;
  /** INIT: number of the first DATA chunk. */
  initialTsn?: number;
  /** INIT, RE-CONFIG. */
  parameters?: SctpParameter[];
  /** DATA: it is to be acknowledged at once. */
  immediate?: boolean;
  /** DATA: it has no place among the others. */
  unordered?: boolean;
  /** DATA: first piece of a message. */
  beginning?: boolean;
  /** DATA: last piece of a message. */
  ending?: boolean;
  /** DATA: its number. */
  tsn?: number;
  /** DATA: its stream. */
  streamId?: number;
  /** DATA: number of the message in its stream. */
  streamSequence?: number;
  /** I-DATA: number of the message. */
  messageId?: number;
  /** I-DATA: number of the piece. */
  fragmentSequence?: number;
  /** DATA: what it carries, by number. */
  payloadProtocol?: number;
  /** DATA: what it carries: `Diameter`. */
  payloadProtocolName?: string;
  /** DATA: bytes. */
  dataSize?: number;
  /** DATA: the first 256 bytes, in base64. */
  data?: string;
  /** SACK, SHUTDOWN: all up to it have come. */
  cumulativeTsn?: number;
  /** SACK: blocks, shown or not. */
  gapBlockCount?: number;
  /** SACK: what has come behind `cumulativeTsn`. */
  gapBlocks?: SctpBlock[];
  /** SACK: duplicates, shown or not. */
  duplicateTsnCount?: number;
  /** SACK: what came twice. */
  duplicateTsns?: number[];
  /** HEARTBEAT: bytes. */
  infoSize?: number;
  /** ABORT, ERROR. */
  causes?: SctpCause[];
  /** COOKIE ECHO: bytes. */
  cookieSize?: number;
  /** ECNE, CWR. */
  lowestTsn?: number;
  /** AUTH. */
  sharedKeyId?: number;
  /** AUTH. */
  hmacId?: number;
  /** FORWARD TSN: what is before it no longer comes. */
  newCumulativeTsn?: number;
  /** ASCONF: its number. */
  serial?: number;
}

/** A parameter. */
interface SctpParameter {
  /** Its number. */
  type: number;
  /** Its name, where it has one. */
  name?: string;
  /** Of an address. */
  address?: string;
  /** Types of chunks that it lists. */
  chunks?: string[];
  /** Bytes of others. */
  size?: number;
}

/** A block of numbers, counted from `cumulativeTsn`. */
interface SctpBlock {
  /** The first. */
  start: number;
  /** The last. */
  end: number;
}

/** Why an association fails. */
interface SctpCause {
  /** Its number. */
  code: number;
  /** Its name, where it has one. */
  name?: string;
  /** More of it: text, or base64. */
  info?: string;
}

// === smtp ===

/** An item of SMTP: a command with its reply, a mail transaction, or the greeting. */
interface SmtpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "smtp" };
  /** The command, the mail, or the greeting. Null where only the reply was seen. */
  request: SmtpRequest | null;
  /** The reply. Null where there was none. */
  response: SmtpResponse | null;
}

/** A command, a mail, or the greeting of a server. */
interface SmtpRequest extends Unread {
  /** In capitals where it is known; `MAIL` for a mail, `greeting` of a server, `message` for one without transaction. */
  command?: string;
  /** What follows the command. */
  argument?: string;
  /** Of AUTH: SASL's mechanism. */
  mechanism?: string;
  /** Of AUTH: `***`. */
  credentials?: string;
  /** Of a mail: the sender's address; empty of a bounce. */
  from?: string;
  /** Of a mail: `SIZE`, `BODY`; true where one has no value. */
  parameters?: SmtpParameters;
  /** Of a mail: recipients, shown or not. */
  recipientCount?: number;
  /** Of a mail: addresses. */
  recipients?: string[];
  /** Of a mail: out of its headers, as sent. */
  subject?: string;
  /** Of a mail: bytes of the message, without the dots that its transfer adds. */
  size?: number;
  /** Of a mail: as sent, folded lines joined by a space. */
  headers?: NameValue[];
  /** Of a mail: as sent. */
  body?: string;
  /** Something was left out. */
  truncated?: true;
  /** Of a greeting: 220. */
  code?: number;
  /** Of a greeting. */
  enhancedCode?: string;
  /** Of a greeting: the code is below 400. */
  success?: boolean;
  /** Of a greeting. */
  text?: string;
}

/** A reply. */
interface SmtpResponse {
  /** The code: 250. */
  code: number;
  /** `2.0.0`. */
  enhancedCode?: string;
  /** The code is below 400. */
  success: boolean;
  /** Lines joined by line feeds. */
  text: string;
  /** Of a mail: what `code` answers. */
  command?: "MAIL" | "RCPT" | "DATA" | "message";
  /** Of a mail: what was said of each recipient. */
  recipients?: SmtpRecipient[];
  /** Of EHLO: what the server can do. */
  extensions?: string[];
  /** Of AUTH: how often the server asked for more. */
  challenges?: number;
  /** Something was left out. */
  truncated?: true;
}

/** Names with texts, or true without. */
interface SmtpParameters {
  [name: string]: string | true;
}

/** What was said of a recipient. */
interface SmtpRecipient {
  /** Whose address. */
  address: string;
  /** The code: 250. */
  code: number;
  /** `5.1.1`. */
  enhancedCode?: string;
  /** Up to 512 bytes. */
  text: string;
}

// === tcp, udp ===

/** A whole TCP conversation, or one that failed. */
interface TcpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "tcp" };
  /** How it went. */
  request: TcpRequest;
  /** None. */
  response: null;
}

/** How a TCP conversation went. Counts are there where `dissect.conversations` wants them. */
interface TcpRequest extends ConversationCounts {
  /** How it is over: by both sides, by a RST, with no answer; `opening`, `open`, `closing` where it is not. */
  state: "closed" | "closing" | "open" | "opening" | "refused" | "reset" | "timeout";
  /** Who sent the RST. */
  resetBy?: "client" | "server";
  /** Packets of the client with bytes that it had sent before. */
  retransmissionsSent?: number;
  /** Packets of the server with bytes that it had sent before. */
  retransmissionsReceived?: number;
  /** Milliseconds from the client's SYN to its acknowledgement of the server's. */
  handshakeTime?: number;
}

/** A whole exchange of UDP datagrams. */
interface UdpItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "udp" };
  /** How it went. */
  request: UdpRequest;
  /** None. */
  response: null;
}

/** How an exchange of UDP datagrams went. */
interface UdpRequest extends ConversationCounts {
  /** `closed`. */
  state: "closed";
}

/** What is counted of conversations. */
interface ConversationCounts {
  /** Time of the first packet, Unix time in milliseconds. */
  timeBegin?: number;
  /** Time of the last packet, Unix time in milliseconds. */
  timeEnd?: number;
  /** Packets of the client. */
  packetsSent?: number;
  /** Packets of the server. */
  packetsReceived?: number;
  /** Bytes of payload of the client. */
  bytesSent?: number;
  /** Bytes of payload of the server. */
  bytesReceived?: number;
  /** What was recognised in it, by `data.protocol.name`. */
  protocols?: string[];
}

// === socks ===

/** An item of SOCKS: a negotiation. */
interface SocksItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "socks" };
  /** Greeting, credentials and request of the client. */
  request: SocksRequest | null;
  /** What the server answered to them. Null where there was no reply. */
  response: SocksResponse | null;
}

/** Where an address is of: by number or by name. */
type SocksAddressType = "ipv4" | "ipv6" | "domain";

/** What a client asked for. */
interface SocksRequest extends Unread {
  /** 4 (also of 4a) or 5. */
  version?: number;
  /** The number of one that is not known; `NEGOTIATE` where it did not come to a request. */
  command?: "CONNECT" | "BIND" | "UDP ASSOCIATE" | "RESOLVE" | "RESOLVE_PTR" | "NEGOTIATE" | (string & {});
  /** Where to connect to, or who will connect: an address or a name. */
  host?: string;
  /** Its port. */
  port?: number;
  /** What `host` is. */
  addressType?: SocksAddressType;
  /** Of version 5: numbers of the methods of authentication that were offered. */
  methods?: number[];
  /** Who asks. */
  user?: string;
  /** `***` where one was sent. */
  password?: string;
}

/** What a server answered. */
interface SocksResponse {
  /** That of the request. */
  version: number;
  /** Of version 5: the method of authentication that was chosen; 255 for none. */
  method?: number;
  /** `username/password`. */
  methodName?: string;
  /** 0 or 90 for success; 255 where there is no method; of refused credentials what answered them. */
  status?: number;
  /** `connection refused`. */
  statusName?: string;
  /** It was granted; a BIND both times. */
  success?: boolean;
  /** The server's own end: an address or a name. */
  boundHost?: string;
  /** Its port. */
  boundPort?: number;
  /** What `boundHost` is. */
  boundAddressType?: SocksAddressType;
  /** Of a BIND: the second reply. */
  incoming?: SocksIncoming;
}

/** The second reply to a BIND. */
interface SocksIncoming {
  /** 0 or 90 for success. */
  status: number;
  /** `succeeded`. */
  statusName?: string;
  /** Somebody connected. */
  success: boolean;
  /** Who connected. */
  host: string;
  /** From which port. */
  port: number;
  /** What `host` is. */
  addressType: SocksAddressType;
}

// === tls ===

/** An item of TLS: a handshake. */
interface TlsItem extends ItemBase {
  /** What tells it from items of other protocols. */
  protocol: Protocol & { name: "tlsx" };
  /** The client's side. Null where only the server's was seen. */
  request: TlsRequest | null;
  /** The server's side. Null where there was none. */
  response: TlsResponse | null;
}

/** The client's side of a handshake. */
interface TlsRequest extends Unread, TlsClientHello {
  /** `Alert` where the hello was not seen. */
  type?: "ClientHello" | "Alert";
  /** The hello has the form of SSL 2.0. */
  sslv2?: true;
}

/** The server's side of a handshake. */
interface TlsResponse extends TlsServerHello {
  /** `Alert` where there is no hello. */
  type: "ServerHello" | "Alert";
}

/** What a client says. Names are IANA's, `0x1234` where there is none. */
interface TlsClientHello {
  /** In the hello's beginning; `TLS 1.2` also for 1.3. */
  version?: string;
  /** Offered by the extension. */
  versions?: string[];
  /** Name of the server. */
  sni?: string;
  /** Application protocols offered: `h2`. */
  alpn?: string[];
  /** Cipher suites offered. */
  cipherSuites?: string[];
  /** Cipher suites, where not all are shown. */
  cipherSuiteCount?: number;
  /** Those of them that nobody should use. */
  weakCipherSuites?: string[];
  /** In the order sent, without GREASE. */
  extensions?: string[];
  /** Extensions, where not all are shown. */
  extensionCount?: number;
  /** Groups for the key exchange. */
  groups?: string[];
  /** Groups that a key is sent of. */
  keyShares?: string[];
  /** Signature algorithms offered. */
  signatureAlgorithms?: string[];
  /** A session id is sent. */
  sessionId?: boolean;
  /** A session ticket is sent. */
  sessionTicket?: boolean;
  /** A pre-shared key is offered. */
  preSharedKey?: boolean;
  /** Data comes with the first flight. */
  earlyData?: boolean;
  /** What is shown may be the outer one of two hellos. */
  encryptedClientHello?: boolean;
  /** Fingerprint, where the hello is whole. */
  ja3?: string;
  /** What `ja3` is the hash of. */
  ja3String?: string;
  /** Fingerprint, where the hello is whole. */
  ja4?: string;
  /** Of the client, up to TLS 1.2. */
  certificates?: TlsCertificate[];
  /** Certificates, where not all are shown. */
  certificateCount?: number;
  /** That the client sent in the clear. */
  alert?: TlsAlert;
}

/** What a server says. Names are IANA's, `0x1234` where there is none. */
interface TlsServerHello {
  /** Version and cipher: `TLS 1.3, AES-256-GCM`. */
  info?: string;
  /** That was agreed on. */
  version?: string;
  /** Nobody should use the cipher suite. */
  weakCipher?: boolean;
  /** That was agreed on. */
  cipherSuite?: string;
  /** Application protocol; up to TLS 1.2. */
  alpn?: string;
  /** Of the key exchange. */
  group?: string;
  /** In the order sent. */
  extensions?: string[];
  /** Fingerprint, where the hello is whole. */
  ja3s?: string;
  /** What `ja3s` is the hash of. */
  ja3sString?: string;
  /** The handshake goes on with an earlier session. */
  resumed?: boolean;
  /** TLS 1.3: the server asked for another ClientHello. */
  helloRetryRequest?: boolean;
  /** TLS 1.3: the group that it asked for. */
  retryGroup?: string;
  /** Of the server, up to TLS 1.2. */
  certificates?: TlsCertificate[];
  /** Certificates, where not all are shown. */
  certificateCount?: number;
  /** That the server sent in the clear. */
  alert?: TlsAlert;
}

/** An alert. */
interface TlsAlert {
  /** How bad it is. */
  level: "warning" | "fatal";
  /** Its name: `handshake_failure`. */
  description: string;
  /** Its number. */
  code: number;
}

/** A certificate. What could not be read is missing. */
interface TlsCertificate {
  /** Whose it is: `CN=example.test`. */
  subject?: string;
  /** Who signed it. */
  issuer?: string;
  /** Names and addresses it is for. */
  subjectAltNames?: string[];
  /** Those, where not all are shown. */
  subjectAltNameCount?: number;
  /** RFC 3339. */
  notBefore?: string;
  /** RFC 3339. */
  notAfter?: string;
  /** Hexadecimal. */
  serialNumber?: string;
  /** `sha256WithRSAEncryption`. */
  signatureAlgorithm?: string;
  /** `RSA`, `EC`. */
  keyType?: string;
  /** Bits of the key. */
  keyBits?: number;
  /** Of the key: `secp256r1`. */
  curve?: string;
  /** 3. */
  version?: number;
  /** Hash of the whole, hexadecimal. */
  sha256: string;
  /** Bytes. */
  size: number;
  /** Why it could not be read to its end. */
  error?: string;
}
