"""Tiny pipelines with random weights for the tests of the hub, written to disk as diffusers writes real ones."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

WORDS = ("a", "photo", "of", "green", "hills", "blurry", "</s>")


def _unet(channels: int, cross: int, **more: Any) -> Any:
    from diffusers import UNet2DConditionModel

    config = {
        "sample_size": 8,
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": (8, 16),
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "attention_head_dim": 4,
        "cross_attention_dim": cross,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }
    return UNet2DConditionModel(**{**config, **more})


def _vae(levels: int, scaling: float = 0.3) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8,) * levels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=8 * 2 ** (levels - 1),
        scaling_factor=scaling,
    )


def _clip(folder: Path, width: int = 16, projected: bool = False) -> tuple[Any, Any]:
    """A tokenizer of single letters from vocab.json and merges.txt, and a text encoder for it."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    vocabulary = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps({word: index for index, word in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(str(folder), model_max_length=16)
    config = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=16,
        projection_dim=width,
        bos_token_id=len(vocabulary) - 2,
        eos_token_id=len(vocabulary) - 1,
        pad_token_id=len(vocabulary) - 1,
    )
    return tokenizer, (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _t5(folder: Path) -> tuple[Any, Any]:
    """A sentencepiece tokenizer as DeepFloyd IF has one (spiece.model and no tokenizer.json), and a text encoder."""
    import sentencepiece
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    folder.mkdir(parents=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS[:6])] * 4), model_prefix=str(folder / "spiece"), vocab_size=26,
        model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, hard_vocab_limit=False, minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "model_max_length": 77})
    )
    tokenizer = T5Tokenizer.from_pretrained(str(folder), extra_ids=0)
    config = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, is_encoder_decoder=False)
    return tokenizer, T5EncoderModel(config)


def _ddim(**more: Any) -> Any:
    from diffusers import DDIMScheduler

    config = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "clip_sample": False}
    return DDIMScheduler(**{**config, "steps_offset": 1, "set_alpha_to_one": True, **more})


def stable_diffusion(folder: Path, **scheduler: Any) -> None:
    from diffusers import StableDiffusionPipeline

    tokenizer, encoder = _clip(folder / "made")
    StableDiffusionPipeline(
        vae=_vae(4), text_encoder=encoder, tokenizer=tokenizer, unet=_unet(4, 16), scheduler=_ddim(**scheduler),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip


def stable_diffusion_xl(folder: Path) -> None:
    from diffusers import StableDiffusionXLPipeline

    tokenizer, encoder = _clip(folder / "made")
    tokenizer_2, encoder_2 = _clip(folder / "made_2", 24, projected=True)
    unet = _unet(
        4, 40, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=24 + 6 * 8,
    )  # fmt: skip
    StableDiffusionXLPipeline(
        vae=_vae(4), text_encoder=encoder, text_encoder_2=encoder_2, tokenizer=tokenizer, tokenizer_2=tokenizer_2,
        unet=unet, scheduler=_ddim(), add_watermarker=False,
    ).save_pretrained(folder)  # fmt: skip


def upscaler(folder: Path) -> None:
    from diffusers import DDPMScheduler, StableDiffusionUpscalePipeline

    tokenizer, encoder = _clip(folder / "made")
    StableDiffusionUpscalePipeline(
        vae=_vae(3, 0.08333), text_encoder=encoder, tokenizer=tokenizer,
        unet=_unet(4, 16, in_channels=7, num_class_embeds=1000),
        low_res_scheduler=DDPMScheduler(beta_schedule="scaled_linear"), scheduler=_ddim(prediction_type="v_prediction"),
        safety_checker=None, feature_extractor=None,
    ).save_pretrained(folder)  # fmt: skip


def _deepfloyd_parts(folder: Path, **unet: Any) -> dict[str, Any]:
    tokenizer, encoder = _t5(folder / "made")
    return {
        "tokenizer": tokenizer,
        "text_encoder": encoder,
        "unet": _unet(3, 16, out_channels=6, **unet),
        "scheduler": _ddim(
            beta_schedule="squaredcos_cap_v2", beta_start=0.0001, beta_end=0.02, thresholding=False, steps_offset=0
        ),
        "safety_checker": None,
        "feature_extractor": None,
        "watermarker": None,
        "requires_safety_checker": False,
    }


def deepfloyd(folder: Path) -> None:
    from diffusers import IFPipeline

    IFPipeline(**_deepfloyd_parts(folder)).save_pretrained(folder)


def deepfloyd_super(folder: Path) -> None:
    from diffusers import DDPMScheduler, IFSuperResolutionPipeline

    parts = _deepfloyd_parts(folder, in_channels=6, sample_size=32, class_embed_type="timestep")
    noising = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    IFSuperResolutionPipeline(**parts, image_noising_scheduler=noising).save_pretrained(folder)


MAKERS: dict[str, Callable[[Path], None]] = {
    "stable-diffusion": stable_diffusion,
    "stable-diffusion-xl": stable_diffusion_xl,
    "upscaler": upscaler,
    "deepfloyd": deepfloyd,
    "deepfloyd-super": deepfloyd_super,
}


def make(name: str, folder: Path) -> Path:
    """The tiny pipeline `name` in `folder`, the same every time."""
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(1)
        MAKERS[name](folder)
    return folder
