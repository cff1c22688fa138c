"""What helps against a distortion: the name of a suited method, in one sentence."""

_OF_KINDS = {
  "gaussian_blur": "Deconvolution (Wiener, Richardson-Lucy) with a Gaussian of about this width sharpens it.",
  "defocus_blur": "Deconvolution with a disk of about this radius, or a network such as IFAN, restores some of it.",
  "linear_motion_blur": "Deconvolution along the motion, or a deblurring network such as NAFNet, restores some of it.",
  "camera_shake": "Blind deconvolution, or a deblurring network such as NAFNet, restores some of it.",
  "zoom_blur": "Nothing common undoes a zoom blur; take the picture again with a shorter exposure.",
  "overexposure": "Lower the exposure in the raw file; what is clipped there is lost, unless exposures are merged.",
  "underexposure": "Raise the exposure, best in the raw file, or use a method such as Zero-DCE; then denoise.",
  "low_contrast": "Stretch the levels, or equalise the histogram locally (CLAHE).",
  "high_contrast": "Lift the shadows and lower the highlights with a flatter tone curve; what is clipped is lost.",
  "fog": "Dehazing by the dark-channel prior, or a network such as FFA-Net, brings contrast back.",
  "colour_cast": "Set the white balance on something grey, or estimate it (shades of grey).",
  "desaturation": "Raise the saturation; a picture without any colour needs a colourisation network.",
  "oversaturation": "Lower the saturation; colours that are clipped cannot be told apart again.",
  "gaussian_noise": "Denoise with BM3D or DRUNet at about this standard deviation.",
  "camera_noise": "Denoise in the raw developer, or with a network trained on cameras' noise such as NAFNet on SIDD.",
  "shot_noise": "Denoise after a variance-stabilising transform (Anscombe, then BM3D).",
  "impulse_noise": "A median filter, adaptive where there is little, removes it.",
  "sharpen": "Develop the picture again with less sharpening; a slight blur hides the halos.",
  "denoise": "Develop the picture again with weaker noise reduction; the texture is not in this file any more.",
  "upscaled_bilinear": "Shrink it to its true size, or enlarge that with a super-resolution network such as SwinIR.",
  "upscaled_bicubic": "Shrink it to its true size, or enlarge that with a super-resolution network such as SwinIR.",
  "pixelate": "Shrink it to one pixel a block, and enlarge that with a super-resolution network such as SwinIR.",
  "jpeg": "Find an earlier copy, or use a network against JPEG's artefacts such as FBCNN.",
  "jpeg2000": "Find an earlier copy; networks against compression artefacts (SwinIR, Restormer) soften what is left.",
  "banding": "Add dither or a debanding filter (f3kdb), and keep more bits when it is edited again.",
  "block_loss": "Fetch the file again; where that cannot be, inpaint the lost blocks.",
}
_OF_GROUPS = {
  "blur": "Sharpen by deconvolution, or with a deblurring network such as NAFNet.",
  "noise": "Denoise with BM3D or a network such as NAFNet.",
  "coding": "Find an earlier copy of the file, or use a network against compression artefacts such as FBCNN.",
  "light": "Correct the exposure and the tone curve, best in the raw file.",
  "colour": "Correct white balance and saturation.",
  "resolution": "Shrink it to its true size, or enlarge that with a super-resolution network such as SwinIR.",
  "processing": "Develop the picture again with less sharpening and weaker noise reduction.",
}


def advice_on(group: str, kind: str | None = None) -> str:
  """One sentence on what helps against a kind, or a group where the kind is not known; "" where there is none."""
  return _OF_KINDS.get(kind or "", "") or _OF_GROUPS.get(group, "")
