// automation: helpers
// Replaced: the address of the webhook.
vendor.webhook(
  "POST",
  env.WEBHOOK_URL,
  JSON.stringify(data)
);
