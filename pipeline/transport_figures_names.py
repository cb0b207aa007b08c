"""Names and captions of the pictures of the transport stage; the page reads them too."""

FLUX = "flux.png"
FIGURES = (
    (
        FLUX,
        "Potential (left) and magnitude of the flux over its mean in the volume (right) in the"
        " plane through the middle, by the voxel engine between faces at 1 and 0. Grey: does not"
        " conduct, or hangs nowhere. Bright necks carry what limits transport.",
        "Potential and flux magnitude in a section through the electrode",
    ),
)
