"""Images as files hold them: every format opens as one source that is read layer by layer."""
