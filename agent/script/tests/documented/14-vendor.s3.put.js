// helpers: vendor.s3.put
// Mended: a comma after filePath.
location = vendor.s3.put(
  env.S3_BUCKET,
  filePath,
  env.AWS_REGION,
  env.AWS_ACCESS_KEY_ID,
  env.AWS_SECRET_ACCESS_KEY
);
