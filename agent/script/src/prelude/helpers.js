// The helpers. Arguments are turned into what the host expects, absent ones stay absent, and what takes time, touches
// the outside or needs checking is the host's.
(function (kit, items) {
  "use strict";

  const { apply, environment, isFiniteNumber, keys, limits, parse, slice, startsWith, stringify } = kit;
  const { tableDelete, tableGet, tableSet, toNumber, toText } = kit;
  const { Table, TypeFault } = kit;
  const {
    op_call, op_console, op_console_clear, op_file_add, op_job_schedule, op_kfl_match, op_kfl_match_item,
    op_kfl_validate,
  } = kit.ops;

  // Texts of arguments: absent stays absent, objects are JSON.
  function text(value) {
    if (value === undefined || value === null) {
      return undefined;
    }
    return typeof value === "object" ? json(value) : toText(value);
  }

  function json(value) {
    return items.hostText(value) ?? stringify(value);
  }

  function required(value, what) {
    const given = text(value);
    if (given === undefined) {
      throw new TypeFault(`${what} is missing`);
    }
    return given;
  }

  function number(value) {
    const given = value === undefined || value === null ? undefined : toNumber(value);
    return isFiniteNumber(given) ? given : undefined;
  }

  // An object of texts; fields that are absent are left out.
  function texts(value, what) {
    if (value === undefined || value === null) {
      return undefined;
    }
    if (typeof value !== "object") {
      throw new TypeFault(`${what} must be an object`);
    }
    const copy = { __proto__: null };
    for (const name of keys(value)) {
      const field = text(value[name]);
      if (field !== undefined) {
        copy[name] = field;
      }
    }
    return copy;
  }

  function object(value, what) {
    if (typeof value !== "object" || value === null) {
      throw new TypeFault(`${what} must be an object`);
    }
    return value;
  }

  // Asks the host; `values` go as JSON, `undefined` as null.
  function call(name, ...values) {
    const answer = op_call(name, stringify(values));
    return answer === "" ? undefined : parse(answer);
  }

  function print(error, values) {
    let line = "";
    for (let index = 0; index < values.length; index++) {
      line += (index === 0 ? "" : " ") + toText(values[index]);
    }
    const cut = line.length > limits.line ? line.length - limits.line : 0;
    op_console(error, cut === 0 ? line : apply(slice, line, [0, limits.line]), cut);
  }

  const console = {
    log(...values) {
      print(false, values);
    },
    error(...values) {
      print(true, values);
    },
    clear() {
      op_console_clear();
    },
  };

  const test = {
    pass(data) {
      return items.mark(data, true);
    },
    fail(data) {
      return items.mark(data, false);
    },
  };

  const vendor = {
    webhook(method, url, body, headers) {
      return call(
        "vendor.webhook", required(method, "vendor.webhook: method"), required(url, "vendor.webhook: url"), text(body),
        texts(headers, "vendor.webhook: headers"),
      );
    },
    webhookForm(method, url, form) {
      return call(
        "vendor.webhookForm", required(method, "vendor.webhookForm: method"), required(url, "vendor.webhookForm: url"),
        texts(form, "vendor.webhookForm: form"),
      );
    },
    slack(webhookUrl, pretext, message, color, last) {
      const url = required(webhookUrl, "vendor.slack: webhookUrl");
      // Until March 2023 this was the bot's call: (token, channelID, pretext, text, color).
      if (last !== undefined && !apply(startsWith, url, ["http"])) {
        return vendor.slackBot(webhookUrl, pretext, message, color, last);
      }
      return call("vendor.slack", url, text(pretext), text(message), text(color));
    },
    slackBot(token, channelID, pretext, message, color, fields, files) {
      return call(
        "vendor.slackBot", required(token, "vendor.slackBot: token"), required(channelID, "vendor.slackBot: channelID"),
        text(pretext), text(message), text(color), texts(fields, "vendor.slackBot: fields"),
        texts(files, "vendor.slackBot: files"),
      );
    },
    influxdb(url, token, organization, bucket, measurement, data, tags) {
      return call(
        "vendor.influxdb", required(url, "vendor.influxdb: url"), text(token),
        required(organization, "vendor.influxdb: organization"), required(bucket, "vendor.influxdb: bucket"),
        required(measurement, "vendor.influxdb: measurement"), object(data, "vendor.influxdb: data"),
        texts(tags, "vendor.influxdb: tags"),
      );
    },
    elastic(url, index, data, username, password, cloudID, apiKey, serviceToken, certificateFingerprint) {
      return call(
        "vendor.elastic", text(url), required(index, "vendor.elastic: index"), object(data, "vendor.elastic: data"),
        text(username), text(password), text(cloudID), text(apiKey), text(serviceToken), text(certificateFingerprint),
      );
    },
    s3: {
      put(bucket, path, region, keyID, accessKey) {
        // The original's documentation uploads to Google's buckets so: an object can only be a service account's key.
        if (typeof region === "object" && region !== null) {
          return vendor.gcs.put(bucket, path, region);
        }
        return call("vendor.s3.put", text(bucket), text(path), text(region), text(keyID), text(accessKey));
      },
      clear(region, keyID, accessKey, bucket) {
        return call("vendor.s3.clear", text(region), text(keyID), text(accessKey), text(bucket));
      },
    },
    gcs: {
      put(bucket, path, saKey) {
        return call("vendor.gcs.put", required(bucket, "vendor.gcs.put: bucket"), required(path, "vendor.gcs.put: path"), saKey);
      },
      clear(bucket, saKey) {
        return call("vendor.gcs.clear", required(bucket, "vendor.gcs.clear: bucket"), saKey);
      },
    },
  };

  const pcap = {
    nameResolutionHistory() {
      return call("pcap.nameResolutionHistory");
    },
    snapshot(selected, dir) {
      // Also called as snapshot(dir).
      if (typeof selected === "string" && dir === undefined) {
        return call("pcap.snapshot", undefined, selected);
      }
      return call("pcap.snapshot", selected ?? undefined, text(dir));
    },
    path(stream) {
      return call("pcap.path", required(stream, "pcap.path: stream"));
    },
  };

  const file = {
    write(path, content) {
      op_file_add(false, required(path, "file.write: path"), text(content) ?? "");
    },
    append(path, content) {
      op_file_add(true, required(path, "file.append: path"), text(content) ?? "");
    },
    move(oldPath, newPath) {
      call("file.move", required(oldPath, "file.move: oldPath"), required(newPath, "file.move: newPath"));
    },
    copy(srcPath, dstPath) {
      call("file.copy", required(srcPath, "file.copy: srcPath"), required(dstPath, "file.copy: dstPath"));
    },
    delete(path) {
      call("file.delete", required(path, "file.delete: path"));
    },
    mkdir(path) {
      call("file.mkdir", required(path, "file.mkdir: path"));
    },
    mkdirTemp(name, dir) {
      return call("file.mkdirTemp", text(name), text(dir));
    },
    temp(name, dir, extension) {
      return call("file.temp", text(name), text(dir), text(extension));
    },
    tar(dir) {
      return call("file.tar", required(dir, "file.tar: dir"));
    },
  };

  // The functions of this script's jobs, by the host's numbers.
  const tasks = new Table();

  const jobs = {
    schedule(tag, cron, task, limit, ...values) {
      if (typeof task !== "function") {
        throw new TypeFault("jobs.schedule: the third argument must be a function");
      }
      const id = op_job_schedule(
        required(tag, "jobs.schedule: tag"), required(cron, "jobs.schedule: cron"), number(limit) ?? 0,
      );
      apply(tableSet, tasks, [id, { __proto__: null, task, values }]);
    },
    remove(tag) {
      call("jobs.remove", required(tag, "jobs.remove: tag"));
    },
    removeAll() {
      call("jobs.removeAll");
    },
    list() {
      return call("jobs.list");
    },
    run(tag) {
      call("jobs.run", required(tag, "jobs.run: tag"));
    },
    runAll() {
      call("jobs.runAll");
    },
    scheduler: {
      isRunning() {
        return call("jobs.scheduler.isRunning");
      },
      start() {
        call("jobs.scheduler.start");
      },
      stop() {
        call("jobs.scheduler.stop");
      },
    },
  };

  function runJob(id) {
    const job = apply(tableGet, tasks, [id]);
    // As documented by the original: inside, `this` is the function.
    return job === undefined ? undefined : apply(job.task, job.task, job.values);
  }

  function forgetJob(id) {
    apply(tableDelete, tasks, [id]);
  }

  const kfl = {
    match(query, data) {
      const filter = text(query) ?? "";
      const slot = items.slotOf(data);
      return slot === undefined ? op_kfl_match(filter, stringify(data) ?? "null") : op_kfl_match_item(filter, slot);
    },
    validate(query, quiet) {
      const fault = op_kfl_validate(text(query) ?? "");
      if (fault !== "" && !quiet) {
        print(true, [fault]);
      }
      return fault === "";
    },
  };

  const chatgpt = {
    prompt(apiKey, prompt, maxTokens) {
      return call(
        "chatgpt.prompt", required(apiKey, "chatgpt.prompt: apiKey"), required(prompt, "chatgpt.prompt: prompt"),
        number(maxTokens),
      );
    },
    sentiment(given) {
      return call("chatgpt.sentiment", text(given) ?? "");
    },
  };

  const utils = {
    nodeName() {
      return call("utils.nodeName");
    },
    json2Yaml(given) {
      return call("utils.json2Yaml", required(given, "utils.json2Yaml: json"));
    },
  };

  const prometheus = {
    metric(name, help, type, value, labels) {
      call(
        "prometheus.metric", required(name, "prometheus.metric: name"), text(help) ?? "", number(type), number(value),
        texts(labels, "prometheus.metric: labels"),
      );
    },
    vector(name, help, type, value, labels) {
      call(
        "prometheus.vector", required(name, "prometheus.vector: name"), text(help) ?? "", number(type), number(value),
        texts(labels, "prometheus.vector: labels"),
      );
    },
  };

  function callWith(hook, ...values) {
    return hook(...values);
  }

  return {
    __proto__: null,
    helpers: { console, test, vendor, pcap, file, jobs, kfl, chatgpt, env: environment, utils, prometheus },
    runJob,
    forgetJob,
    callWith,
  };
})
