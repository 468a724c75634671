"""Pictures with objects for tests: VOC trees and COCO folders whose content is known."""

import json

from pictured import photograph, save

POINTS = ("xmin", "ymin", "xmax", "ymax")


def annotation(things, size=(40, 30), filename="", extra=""):
    """Write an annotation: things are (name, (xmin, ymin, xmax, ymax)) and perhaps difficult."""
    objects = []
    for name, box, *difficult in things:
        edges = "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(POINTS, box, strict=True))
        flag = f"<difficult>{int(difficult[0])}</difficult>" if difficult else ""
        objects.append(f"<object><name>{name}</name>{flag}<bndbox>{edges}</bndbox></object>")
    stated = ""
    if size is not None:
        stated = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    named = f"<filename>{filename}</filename>"
    return f"<annotation>{named}{stated}{''.join(objects)}{extra}</annotation>"


def voc(root, pictures, lists=None, ending=".png", size=(40, 30), **options):
    """Write a VOC tree: pictures by stem, each a list of things or a text; every one another."""
    for seed, (stem, things) in enumerate(pictures.items()):
        save(root / "JPEGImages" / f"{stem}{ending}", photograph(*size, seed=seed), **options)
        text = things if isinstance(things, str) else annotation(things, size)
        (root / "Annotations").mkdir(parents=True, exist_ok=True)
        (root / "Annotations" / f"{stem}.xml").write_text(text)
    for name, stems in (lists or {}).items():
        path = root / "ImageSets" / "Main" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{stem}\n" for stem in stems))
    return root


def coco(path, pictures, images, categories, size=(40, 30), **options):
    """Write a COCO file: pictures by id, each a list of (category, (x, y, w, h)) and more keys."""
    annotations = []
    listed = []
    for seed, (number, things) in enumerate(pictures.items()):
        name = f"{number:06d}.png"
        save(images / name, photograph(*size, seed=1000 * number + seed), **options)
        listed.append({"id": number, "file_name": name, "width": size[0], "height": size[1]})
        for category, box, *more in things:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": category,
                    "bbox": list(box),
                    **(more[0] if more else {}),
                }
            )
    kinds = [{"id": number, "name": name} for number, name in categories.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": listed, "annotations": annotations, "categories": kinds}))
    return path
