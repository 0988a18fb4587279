// helpers: vendor.s3.put with IRSA
// Mended: a comma after filePath.
location = vendor.s3.put(
  env.S3_BUCKET,
  filePath,
  env.AWS_REGION
);
