//! A proxy of the tests' own in front of an S3 server, that spoils chosen requests.
