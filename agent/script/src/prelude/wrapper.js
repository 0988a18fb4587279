// `wrapper`: what is made of other helpers.
(function (kit, helpers) {
  "use strict";

  const { apply, isArray, isFiniteNumber, isoTime, keys, now, push, stringify, toText } = kit;
  const { Fault, Table, Time, TypeFault } = kit;
  const { console, env, file, jobs, kfl, pcap, vendor } = helpers;

  const timeText = (milliseconds) => apply(isoTime, new Time(milliseconds), []);

  // Adds numbers key by key.
  function joinMaps(a, b) {
    const joined = { ...a };
    for (const name of keys(b ?? {})) {
      joined[name] = (joined[name] ?? 0) + b[name];
    }
    return joined;
  }

  // === HAR 1.2 ===

  // `{name: value}`, with lists for repeated names, as HAR's list of pairs.
  function pairs(map) {
    const list = [];
    for (const name of keys(map ?? {})) {
      const value = map[name];
      for (const one of isArray(value) ? value : [value]) {
        apply(push, list, [{ name, value: toText(one) }]);
      }
    }
    return list;
  }

  function harRequest(item) {
    const { method, url, httpVersion, cookies, headers, queryString, postData, headersSize, bodySize } = item.request;
    const host = headers?.Host ?? headers?.[":authority"] ?? `${item.dst.ip}:${item.dst.port}`;
    const absolute = apply(kit.startsWith, url ?? "", ["http"]);
    const request = {
      method,
      url: absolute ? url : `${item.tls ? "https" : "http"}://${host}${url}`,
      httpVersion,
      cookies: pairs(cookies),
      headers: pairs(headers),
      queryString: pairs(queryString),
      headersSize: headersSize ?? -1,
      bodySize: bodySize ?? -1,
    };
    if (postData) {
      request.postData = { mimeType: postData.mimeType, params: postData.params ?? [], text: postData.text ?? "" };
    }
    return request;
  }

  function harResponse(item) {
    const { status, statusText, httpVersion, cookies, headers, content, redirectURL, headersSize, bodySize } =
      item.response ?? {};
    return {
      status: status ?? 0,
      statusText: statusText ?? "",
      httpVersion: httpVersion ?? item.request.httpVersion,
      cookies: pairs(cookies),
      headers: pairs(headers),
      content: { size: content?.size ?? 0, mimeType: content?.mimeType ?? "", text: content?.text, encoding: content?.encoding },
      redirectURL: redirectURL ?? "",
      headersSize: headersSize ?? -1,
      bodySize: bodySize ?? -1,
    };
  }

  function buildHAR(list) {
    if (!isArray(list)) {
      throw new TypeFault("wrapper.buildHAR: items must be an array");
    }
    const entries = [];
    for (const item of list) {
      // Only HTTP has a place in the format.
      if (item?.protocol?.name === "http" && item.request) {
        const time = item.elapsedTime ?? 0;
        apply(push, entries, [{
          startedDateTime: item.startTime,
          time,
          request: harRequest(item),
          response: harResponse(item),
          cache: {},
          timings: { send: 0, wait: time, receive: 0 },
          serverIPAddress: item.dst.ip,
          connection: item.stream,
        }]);
      }
    }
    return stringify({ log: { version: "1.2", creator: { name: "remora", version: kit.limits.version }, entries } });
  }

  // === snapshots to S3 ===

  // Uploads one snapshot of all streams. Returns its URL.
  function pcapSnapshot(region, keyID, accessKey, bucket) {
    const path = pcap.snapshot();
    try {
      return vendor.s3.put(
        bucket ?? env.S3_BUCKET, path, region ?? env.AWS_REGION, keyID ?? env.AWS_ACCESS_KEY_ID,
        accessKey ?? env.AWS_SECRET_ACCESS_KEY,
      );
    } finally {
      file.delete(path);
    }
  }

  const JOB = "kfl-pcap-s3";

  // What `kflPcapS3` has gathered: streams by query, since when.
  let gathered;
  let settings;

  const given = (value, fallback) => (value === undefined || value === null ? fallback : value);
  const count = (value, fallback) => (isFiniteNumber(value) && value > 0 ? value : fallback);

  function kflPcapS3(data, params) {
    if (!isArray(params?.kflArr)) {
      throw new TypeFault("wrapper.kflPcapS3: params.kflArr must be an array of KFL queries");
    }
    settings = {
      queries: params.kflArr,
      region: given(params.awsRegion, env.AWS_REGION),
      keyID: given(params.awsAccessKeyId, env.AWS_ACCESS_KEY_ID),
      accessKey: given(params.awsSecretAccessKey, env.AWS_SECRET_ACCESS_KEY),
      bucket: given(params.s3Bucket, env.S3_BUCKET),
      slackWebhook: given(params.slackWebhook, env.SLACK_WEBHOOK),
      slackToken: given(params.slackAuthToken, env.SLACK_AUTH_TOKEN),
      slackChannel: given(params.slackChannelId, env.SLACK_CHANNEL_ID),
      verbose: given(params.verbose, false),
      maxMinutes: count(params.maxMinutes, 60),
      maxStreams: count(params.maxL4Streams, 100000),
    };
    if (!given(params.active, true)) {
      return;
    }
    if (gathered === undefined) {
      gathered = [];
      jobs.schedule(JOB, "*/30 * * * * *", uploadDue);
    }
    for (let index = 0; index < settings.queries.length; index++) {
      if (!kfl.match(settings.queries[index], data)) {
        continue;
      }
      const group = (gathered[index] ??= { since: now(), streams: new Table() });
      // Beyond the cap the streams are uploaded first, by the job.
      if (group.streams.size < settings.maxStreams) {
        apply(kit.tableSet, group.streams, [data.stream, true]);
      }
    }
  }

  function uploadDue() {
    for (let index = 0; index < gathered.length; index++) {
      const group = gathered[index];
      const due = group && (group.streams.size >= settings.maxStreams || now() - group.since >= settings.maxMinutes * 60000);
      if (due) {
        gathered[index] = undefined;
        upload(index, group);
      } else if (group && settings.verbose) {
        console.log(`${JOB}: ${group.streams.size} streams for ${settings.queries[index]}`);
      }
    }
  }

  function upload(index, group) {
    const query = settings.queries[index];
    const time = timeText(now());
    const dir = file.mkdirTemp(JOB);
    try {
      const streams = [...group.streams.keys()];
      const snapshot = pcap.snapshot(streams);
      file.move(snapshot, `${dir}/`);
      file.write(`${dir}/name_resolution_history.json`, stringify(pcap.nameResolutionHistory()));
      file.write(`${dir}/content.json`, stringify({
        pcap_file_name: snapshot, time, kfl_index: index, kfl_query: query, l4_streams: streams,
      }));
      const archive = file.tar(dir);
      try {
        const url = vendor.s3.put(settings.bucket, archive, settings.region, settings.keyID, settings.accessKey);
        console.log(stringify({ file: archive, s3_url: url, time, kfl_index: index, kfl_query: query }));
        tell(query, url);
      } finally {
        file.delete(archive);
      }
    } catch (fault) {
      // For the next run, with what has come since.
      gathered[index] ??= group;
      for (const stream of group.streams.keys()) {
        apply(kit.tableSet, gathered[index].streams, [stream, true]);
      }
      throw new Fault(`${JOB}: ${query}: ${fault?.message ?? fault}`);
    } finally {
      file.delete(dir);
    }
  }

  function tell(query, url) {
    if (settings.slackWebhook) {
      vendor.slack(settings.slackWebhook, "New network capture", `${query}: ${url}`, "#0000FF");
    } else if (settings.slackToken && settings.slackChannel) {
      vendor.slackBot(settings.slackToken, settings.slackChannel, "New network capture", `${query}: ${url}`, "#0000FF");
    }
  }

  helpers.wrapper = { joinMaps, buildHAR, pcapSnapshot, kflPcapS3 };
})
