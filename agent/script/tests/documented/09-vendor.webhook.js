// helpers: vendor.webhook
// Replaced: the address of the webhook.
response = vendor.webhook(
  "POST",
  env.WEBHOOK_URL,
  JSON.stringify(data),
  {
    "content-type": "application/json"
  }
);
